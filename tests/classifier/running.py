"""Classifiers as processes on a real Kafka: images in, results out."""

import asyncio
import json
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.events import ImageClassified
from schemas.topics import CLASSIFIER_GROUP, DEAD_LETTERS, IMAGES_CLASSIFIED, IMAGES_SUBMITTED, TOPICS
from services.runtime.environment import environment_with
from services.runtime.kafka import consumer, publisher
from services.runtime.topic_admin import topic_admin
from tests.commands import variables
from tests.waiting import wait_for

BATCH = 250
Key = tuple[str, int]


def submitted(urls: Sequence[str], name: str, deadline_seconds: float = 3600) -> list[dict[str, Any]]:
    """One event for each URL, in batches of 250; raw, so that what is no event can be sent too."""
    now = datetime.now(UTC)
    times = {"submitted_at": now.isoformat(), "deadline_at": (now + timedelta(seconds=deadline_seconds)).isoformat()}
    head = {"type": "image.submitted", "version": 1, "product_type": "Shirt", "fingerprint": f"{7:064}"}
    return [
        head
        | times
        | {
            "image_path": url,
            "inference_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{number // BATCH}")),
            "index": number % BATCH,
        }
        for number, url in enumerate(urls)
    ]


async def prepare(servers: str) -> None:
    async with topic_admin(servers) as admin:
        await admin.create(TOPICS, 1)


async def skip_what_is_left(servers: str) -> None:
    """Let the group begin after all images that were sent so far."""
    async with consumer(servers, 30, CLASSIFIER_GROUP) as member:
        member.subscribe([IMAGES_SUBMITTED.name])
        async with asyncio.timeout(60):
            while not member.assignment():
                await member.getmany(timeout_ms=200)
        ends = await member.end_offsets(list(member.assignment()))
        await member.commit(ends)


async def send(
    servers: str, events: Sequence[Mapping[str, Any]], first_partition: int = 0, traceparent: str | None = None
) -> None:
    records = [(f"{event['inference_id']}/{event['index']}".encode(), json.dumps(event).encode()) for event in events]
    async with publisher(servers, 30, 30) as out:
        await out.publish_evenly(IMAGES_SUBMITTED, records, first_partition, traceparent)


@dataclass
class Results:
    """What came out so far; `seen_at` is when this reader saw the first result of an image."""

    results: dict[Key, ImageClassified] = field(default_factory=dict)
    seen_at: dict[Key, float] = field(default_factory=dict)
    duplicates: int = 0
    dead_letters: int = 0
    only: frozenset[Key] | None = None
    """The images that count, where other tests use the same Kafka."""

    @staticmethod
    def of(events: Iterable[Mapping[str, Any]]) -> "Results":
        """Count the images of these events alone."""
        return Results(only=frozenset((event["inference_id"], event["index"]) for event in events))

    def outcomes(self) -> Counter[str]:
        return Counter(found.error.code if found.error else "succeeded" for found in self.results.values())

    def _add(self, found: ImageClassified) -> None:
        key = (found.inference_id, found.index)
        if self.only is not None and key not in self.only:
            return
        self.duplicates += key in self.results
        self.results.setdefault(key, found)
        self.seen_at.setdefault(key, time.monotonic())

    async def read(self, servers: str, wanted: int, timeout_seconds: float) -> None:
        """Read on from the beginning until so many images have a result or a dead letter."""
        async with consumer(servers, 30) as taken:
            taken.subscribe([IMAGES_CLASSIFIED.name, DEAD_LETTERS.name])
            self.dead_letters = 0
            self.results.clear()
            async with asyncio.timeout(timeout_seconds):
                while len(self.results) + self.dead_letters < wanted:
                    for partition, records in (await taken.getmany(timeout_ms=200)).items():
                        for record in records:
                            if partition.topic == DEAD_LETTERS.name:
                                self.dead_letters += 1
                            else:
                                self._add(ImageClassified.decode(record.value))


async def results_of(
    servers: str, wanted: int, timeout_seconds: float = 120, only: Iterable[Mapping[str, Any]] | None = None
) -> Results:
    """Wait for so many results; with `only` those of these events count."""
    found = Results() if only is None else Results.of(only)
    try:
        await found.read(servers, wanted, timeout_seconds)
    except TimeoutError:
        raise AssertionError(
            f"{len(found.results)} results and {found.dead_letters} dead letters of {wanted}"
        ) from None
    return found


@dataclass(frozen=True)
class Running:
    """A classifier process and its log."""

    process: subprocess.Popen[bytes]
    log_path: Path

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]

    def said(self, event: str) -> bool:
        return self.log_path.exists() and f'"event": "{event}"' in self.log_path.read_text()


def start(servers: str, folder: Path, *options: str, module: str = "services", **settings: object) -> Running:
    """Start a classifier; settings are named as in its settings class."""
    given = {"bootstrap_servers": servers, "log_level": "info", "topic_replicas": 1} | settings
    environment = environment_with(variables(given))
    log_path = folder / f"classifier-{uuid.uuid4().hex[:8]}.log"
    with log_path.open("wb") as log:
        command = [sys.executable, "-m", module, "classifier", *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    return Running(process, log_path)


@contextmanager
def classifier(
    servers: str, folder: Path, *options: str, module: str = "services", **settings: object
) -> Iterator[Running]:
    """Run a classifier until the block ends, and see that it ends cleanly."""
    running = start(servers, folder, *options, module=module, **settings)
    try:
        wait_for(lambda: running.said("partitions_assigned") or running.process.poll() is not None or None, "start", 60)
        assert running.process.poll() is None, running.log_path.read_text()
        yield running
        assert running.process.poll() is None, "the classifier died"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait(20)
