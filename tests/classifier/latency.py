"""How long images of one customer take while those of another one hang."""

import asyncio
import socket
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.events import ImageSubmitted
from schemas.topics import IMAGES_SUBMITTED
from services.runtime.kafka import publisher
from tests.classifier.hostile_images import LOOPBACK
from tests.classifier.running import BATCH, Results, classifier, prepare, send, submitted
from tests.image_host import image_host


@dataclass(frozen=True)
class Latencies:
    """Seconds from the sending of an image to its result, of the customers that are well served."""

    alone: Sequence[float]
    beside_hanging: Sequence[float]

    @staticmethod
    def p99(found: Sequence[float]) -> float:
        return statistics.quantiles(found, n=100)[98]


@contextmanager
def silent_host() -> Iterator[str]:
    """A host that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def _steady(servers: str, found: Results, urls: Sequence[str], per_second: int) -> list[float]:
    """Send images one by one at a steady pace; each belongs to a batch of its own."""
    sent: dict[tuple[str, int], float] = {}
    async with publisher(servers, 30, 30) as out:
        for url in urls:
            [event] = submitted([url], f"steady {uuid.uuid4()}")
            sent[event["inference_id"], event["index"]] = time.monotonic()
            await out.publish(IMAGES_SUBMITTED, [ImageSubmitted.model_validate(event)])
            await asyncio.sleep(1 / per_second)
    async with asyncio.timeout(60):
        while not sent.keys() <= found.seen_at.keys():  # noqa: ASYNC110  # the reader fills it
            await asyncio.sleep(0.01)
    return [found.seen_at[key] - began for key, began in sent.items()]


async def measure(servers: str, good: str, silent: str, images: int, per_second: int) -> Latencies:
    """Send a steady trickle, alone and then beside a whole batch of another customer that hangs."""
    found, urls = Results(), [f"{good}/{number}.jpg" for number in range(images)]
    reading = asyncio.create_task(found.read(servers, 10**9, 3600))
    try:
        await _steady(servers, found, urls[:20], per_second)  # warm
        alone = await _steady(servers, found, urls, per_second)
        hanging = submitted([f"{silent}/{number}.jpg" for number in range(BATCH)], f"hanging {uuid.uuid4()}")
        await send(servers, hanging)
        beside = await _steady(servers, found, urls, per_second)
        still = {(event["inference_id"], event["index"]) for event in hanging} - found.results.keys()
        assert len(still) > BATCH // 2, "the batch did not hang while the others were measured"
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return Latencies(alone, beside)


def latencies(servers: str, folder: Path, images: int = 300, per_second: int = 20, **settings: object) -> Latencies:
    """Measure on one classifier."""
    asyncio.run(prepare(servers))
    with (
        image_host() as good,
        silent_host() as silent,
        classifier(servers, folder, **LOOPBACK, drain_timeout_seconds=1, **settings),
    ):
        return asyncio.run(measure(servers, good.url, silent, images, per_second))
