"""Reporters as processes of their own, around a real Kafka and a real SMTP server; everything else is played."""

import asyncio
import csv
import io
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from schemas.events import ApiKey, BatchSubmitted, Event, ImageClassified, InferenceStatus
from schemas.topics import (
    API_KEYS,
    BATCHES_SUBMITTED,
    DEAD_LETTERS,
    IMAGES_CLASSIFIED,
    INFERENCES_STATUS,
    TOPICS,
    Topic,
)
from services.local.leash import leashed
from services.local.ports import free_ports
from services.runtime.environment import environment_with
from services.runtime.kafka import Record, publisher
from services.runtime.scanning import fold_all
from services.runtime.topic_admin import topic_admin
from tests.commands import variables
from tests.kafka_fixtures import RunningKafka
from tests.reporter.examples import FINGERPRINT, batch, result
from tests.reporter.smtp_sink import Sink, sink_in_a_thread
from tests.waiting import wait_for

KEY = ApiKey(
    key_id="key1",
    owner="Shop",
    email="to@shop.example",
    secret_sha256="0" * 64,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
READY_SECONDS = 60.0
ENDS_SECONDS = 10.0
ENDED_ITSELF = 70
"""The status of a reporter that ends so that what it is not sure of is read again; whoever runs it starts it again."""


@dataclass
class Reporter:
    """A process; its port tells how it is."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    command: Callable[[], subprocess.Popen[bytes]]
    """Starts it once more."""

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.is_ready() or self.process.poll() is not None or None, "ready reporter", READY_SECONDS)
        assert self.process.poll() is None, self.log.read_text()[-3000:]

    def wait_until_ended(self, seconds: float) -> int:
        """Give the status with which it ends; one that ended itself so as to read again is started again."""
        while (status := self.process.wait(seconds)) == ENDED_ITSELF:
            self.process = self.command()
        return status

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as reply:
            return str(reply.read().decode())

    def metric(self, name: str) -> float:
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.metrics().splitlines() if line.startswith(name))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@dataclass
class World:
    """What surrounds reporters."""

    bootstrap: str
    folder: Path
    smtp_port: int
    sink: Sink
    reporters: list[Reporter] = field(default_factory=list)

    def start(self, name: str = "one", **settings: object) -> Reporter:
        """Start a reporter; those of one name share a folder for their tables."""
        [port] = free_ports([0])
        given = {
            "environment": "development",
            "bootstrap_servers": self.bootstrap,
            "topic_replicas": 1,
            "metrics_port": port,
            "report_store": self.folder / "reports",
            "state_dir": self.folder / f"state-{name}",
            "smtp_port": self.smtp_port,
            "smtp_tls": "none",
            "session_timeout_seconds": 6,
            "mail_retry_seconds": 2,
            "drain_timeout_seconds": 5,
        } | settings
        environment = environment_with(variables(given))
        log = self.folder / f"{name}.log"

        def run() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                command = leashed([sys.executable, "-m", "services", "reporter"])
                return subprocess.Popen(command, stdout=output, stderr=output, env=environment)

        reporter = Reporter(run(), port, log, run)
        self.reporters.append(reporter)
        return reporter

    def start_again(self) -> None:
        """Start those that ended themselves, as whatever runs reporters does."""
        for reporter in self.reporters:
            if reporter.process.poll() == ENDED_ITSELF:
                reporter.process = reporter.command()

    def end(self) -> None:
        """End those that still run; one that says goodbye to its group leaves nobody waiting for it."""
        left = [reporter for reporter in self.reporters if reporter.process.poll() is None]
        for reporter in left:
            reporter.process.terminate()
        for reporter in left:
            try:
                reporter.process.wait(ENDS_SECONDS)
            except subprocess.TimeoutExpired:
                reporter.kill()
        self.reporters.clear()

    def publish(self, *events: Event) -> None:
        asyncio.run(publish(self.bootstrap, events))

    def submit(self, count: int, size: int) -> list[str]:
        """Publish batches with all their results; gives their names."""
        batches = [new_batch(size) for _ in range(count)]
        self.publish(*(event for made in batches for event in (made, *results_of(made))))
        return [made.inference_id for made in batches]

    def statuses(self) -> dict[str, InferenceStatus]:
        """The newest status of each inference."""
        found: dict[str, InferenceStatus] = {}
        for record in self.records(INFERENCES_STATUS):
            if record.value is not None:
                status = InferenceStatus.decode(record.value)
                found[status.inference_id] = status
        return found

    def dead_letters(self, inference_id: str) -> list[Record]:
        return [record for record in self.records(DEAD_LETTERS) if inference_id.encode() in (record.value or b"")]

    def records(self, topic: Topic) -> list[Record]:
        found: list[Record] = []
        asyncio.run(fold_all(self.bootstrap, topic, range(topic.partitions), found.append, 30))
        return found

    def wait_until_finished(
        self, inference_ids: Iterable[str], timeout_seconds: float = 150
    ) -> dict[str, InferenceStatus]:
        """Wait until each has its last status."""
        wanted = set(inference_ids)

        def look() -> dict[str, InferenceStatus] | None:
            self.start_again()
            found = self.statuses()
            ended = {name for name, status in found.items() if status.email_status in {"sent", "failed", "none"}}
            return found if wanted <= ended else None

        return wait_for(look, "last statuses", timeout_seconds, pause_seconds=0.3)


async def publish(bootstrap: str, events: Sequence[Event]) -> None:
    async with publisher(bootstrap, 30, 30) as out:
        for topic, kind in (
            (IMAGES_CLASSIFIED, ImageClassified),
            (BATCHES_SUBMITTED, BatchSubmitted),
            (API_KEYS, ApiKey),
        ):
            await out.publish(topic, [event for event in events if isinstance(event, kind)])


async def _create_topics(bootstrap: str) -> None:
    async with topic_admin(bootstrap) as admin:
        await admin.create(TOPICS, replicas=1)


@contextmanager
def world_around(kafka: RunningKafka, folder: Path, sink: Sink | None = None) -> Iterator[World]:
    """Make the topics and a key, and serve SMTP; reporters that still run at the end are ended."""
    asyncio.run(_create_topics(kafka.bootstrap))
    sink = sink or Sink()
    with sink_in_a_thread(sink) as port:
        world = World(kafka.bootstrap, folder, port, sink)
        world.publish(KEY)
        try:
            yield world
        finally:
            world.end()


def new_batch(size: int, lasts: timedelta = timedelta(hours=1)) -> BatchSubmitted:
    """A batch that begins now."""
    now = datetime.now(UTC)
    made = batch(size, FINGERPRINT, str(uuid.uuid4()))
    return made.model_copy(update={"submitted_at": now, "deadline_at": now + lasts})


def results_of(submitted: BatchSubmitted) -> list[ImageClassified]:
    now = datetime.now(UTC)
    return [
        result(index, submitted.fingerprint, submitted.inference_id, classified_at=now)
        for index in range(submitted.size)
    ]


def lines_of(content: bytes) -> list[dict[str, str]]:
    """The lines of the CSV file in a mail."""
    message = message_from_bytes(content, policy=default)
    [attached] = [part for part in message.walk() if part.get_content_type() == "text/csv"]
    table = attached.get_payload(decode=True)
    assert isinstance(table, bytes)
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
