"""Classifiers under load whose processes are killed at random: is anything lost?"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import IMAGES_SUBMITTED
from services.runtime.kafka import consumer
from tests.classifier.hostile_images import LOOPBACK, processes_below
from tests.classifier.running import Results, classifier, prepare, send, submitted
from tests.image_host import image_host
from tests.waiting import wait_for

GROUP = "huestream-classifier"


@dataclass(frozen=True)
class Outcome:
    """What was left after all kills."""

    sent: int
    results: Results
    kills: dict[str, int]
    seconds: float


def command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def victims(supervisor: int, kind: str) -> list[int]:
    """The processes of a kind: consumers, or those that decode."""
    word = "services classifier" if kind == "consumer" else "decoder_child"
    return [process for process in processes_below(supervisor)[1:] if word in command_of(process)]


async def lag(servers: str) -> int:
    """Records of images that the group has not committed."""
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    await client.start()
    try:
        committed = await client.list_consumer_group_offsets(GROUP)
    finally:
        await client.close()
    async with consumer(servers, 30) as reader:
        reader.subscribe([IMAGES_SUBMITTED.name])
        await reader.getmany(timeout_ms=200)
        ends = await reader.end_offsets(list(reader.assignment()))
    return sum(end - (committed[partition].offset if partition in committed else 0) for partition, end in ends.items())


async def _kill_under_load(
    servers: str,
    supervisor: int,
    events: Sequence[dict[str, object]],
    parts: int,
    kills: Sequence[str],
    chance: random.Random,
) -> Results:
    """Send in parts; kill between them, at random moments."""
    found = Results.of(events)
    reading = asyncio.create_task(found.read(servers, len(events), 600))
    for number in range(parts):
        await send(servers, events[number::parts], number)
        if number < len(kills):
            await asyncio.sleep(chance.random())
            alive = await asyncio.to_thread(victims, supervisor, kills[number])
            if alive:
                os.kill(chance.choice(alive), signal.SIGKILL)
        await asyncio.sleep(2 * chance.random())
    await reading
    return found


def kill_under_load(
    servers: str, folder: Path, kills: Sequence[str], images: int, seed: int, parts: int = 20
) -> Outcome:
    """Kill processes of two supervised classifiers, each time one of the kind that is named."""
    asyncio.run(prepare(servers))
    chance, began = random.Random(seed), time.monotonic()  # noqa: S311  # the same kills again for the same seed
    with image_host(delay_seconds=0.02) as host, classifier(servers, folder, "--processes", "2", **LOOPBACK) as running:
        events = submitted([f"{host.url}/{number}.jpg" for number in range(images)], f"kills {seed}")
        results = asyncio.run(
            _kill_under_load(servers, running.process.pid, events, max(parts, len(kills)), kills, chance)
        )
        wait_for(lambda: asyncio.run(lag(servers)) == 0 or None, "end of the lag", 60, 0.5)
    counts = {kind: kills.count(kind) for kind in sorted(set(kills))}
    return Outcome(images, results, counts, time.monotonic() - began)
