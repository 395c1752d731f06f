"""The one module that knows Faust: topics, tables, agents and timers around the logic of its neighbors.

An exception that leaves an agent acknowledges and skips the event. So what is the event's fault goes to the dead
letters, and what is ours ends the process before anything is acknowledged: the event is read again.
"""

import asyncio
import importlib.util
import logging
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn, Self

import faust
from faust.exceptions import ConsistencyError
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from faust.types.auth import CredentialsT

from schemas.events import (
    Event,
    ReportReady,
)
from schemas.topics import (
    BATCHES_SUBMITTED,
    CANCELLATIONS_REQUESTED,
    IMAGES_CLASSIFIED,
    PARTITIONS,
    REPORTER_APP,
    REPORTER_CONTROL,
    REPORTER_TABLES,
    REPORTS_READY,
    Topic,
)
from services.reporter import metrics
from services.reporter.acknowledging import Acknowledgements, CatchingUp, Partition
from services.reporter.gathering import Gathering, LostPartitionError, Tables
from services.reporter.reading import SteadyConsumer
from services.reporter.settings import ReporterSettings
from services.runtime.cluster import Cluster
from services.runtime.metrics import GroupMetrics
from services.runtime.offsets import Highest
from services.runtime.partitioning import partition_of
from services.runtime.settings import SettingsError

_CATCH_UP_SECONDS: Final = 300.0
_STALE_SECONDS: Final = 300.0
"""Longer than any rebalance; the watchdog looks at what is read."""
_OURS: Final = 70  # EX_SOFTWARE
_ROCKSDB: Final = {
    "max_open_files": 64,
    "write_buffer_size": 2 * 1024 * 1024,
    "max_write_buffer_number": 2,
    "block_cache_size": 2 * 1024 * 1024,
    "bloom_filter_size": 10,
}
"""Each table has a database for each partition: the defaults would allow for 6 GB of buffers."""


logging.getLogger("faust.transport.producer").setLevel(logging.ERROR)
"""It warns of each finished batch, whose rows are removed all at once."""


@dataclass(eq=False)
class Work:
    """A record in work: what it has written that is not durable yet, and under which assignment it was read."""

    generation: int
    left: int = 1
    """Writes that are not durable, and one more while the record is handled."""
    done: Callable[[], None] = lambda: None
    unsettled: set[asyncio.Future[object]] = field(default_factory=set)

    def wrote(self, write: asyncio.Future[object]) -> None:
        """Note a write."""
        self.left += 1
        self.unsettled.add(write)
        write.add_done_callback(self._written)

    def handled(self) -> None:
        """Note that nothing more will be written; what was taken is done when all is durable."""
        self.left -= 1
        if not self.left:
            self.done()

    def _written(self, write: asyncio.Future[object]) -> None:
        if write.cancelled() or write.exception():
            end_process("a write can never be durable: its record is to be read again")
        self.unsettled.discard(write)
        self.handled()


work_in_hand: ContextVar[Work] = ContextVar("work_in_hand")


class _Table(faust.Table[bytes, bytes]):
    """A table that remembers its writes, and refuses those to partitions that were lost meanwhile."""

    generation: Callable[[], int]

    def send_changelog(self, partition: int | None, key: bytes, value: bytes, *args: Any, **kwargs: Any) -> Any:
        work = work_in_hand.get()
        if work.generation != self.generation():
            raise LostPartitionError
        written = super().send_changelog(partition, key, value, *args, **kwargs)
        work.wrote(written)
        # The memory store forgets lost partitions by this index, but keeps it only for rows that it recovered.
        index = getattr(self.data, "_key_partition", None)
        if index is not None:
            index[key] = partition
        return written

    def get(self, key: bytes, default: Any = None) -> Any:
        """Read past Faust's statistics, which cost more than the reading."""
        return self.data.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self.data


class _Recovery(Recovery):
    """Gives records to the agents only after the last queue was emptied.

    Faust lets source partitions flow before it seeks and empties the queues at the end of a recovery: a record that was
    read in between is thrown away, and its second reading is dropped as an old one.
    """

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Let them flow after a recovery."""
        await _held_back(self.app.consumer, super().on_recovery_completed(generation_id))

    async def _resume_streams(self, generation_id: int = 0) -> None:
        """Let them flow where there was nothing to recover."""
        await _held_back(self.app.consumer, super()._resume_streams(generation_id))


async def _held_back(consumer: Any, work: Coroutine[None, None, None]) -> None:
    """Do work that lets partitions flow, and let them flow when it is done."""
    held: set[TP] = set()
    consumer.resume_partitions = held.update
    try:
        await work
    finally:
        del consumer.resume_partitions
    consumer.resume_partitions(held)


class _TableManager(TableManager):
    """Has recoveries of our kind."""

    @property
    def recovery(self) -> Recovery:
        """The one recovery of all tables."""
        if self._recovery is None:
            self._recovery = _Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


SOURCES: Final = (BATCHES_SUBMITTED, IMAGES_CLASSIFIED, CANCELLATIONS_REQUESTED, REPORTER_CONTROL, REPORTS_READY)


@dataclass(eq=False)
class Stream:
    """The Faust app, its tables, and what of it the rest of the reporter needs."""

    app: Any
    tables: Mapping[str, Any]
    gathering: Gathering
    measured: GroupMetrics
    acknowledgements: Acknowledgements = field(default_factory=Acknowledgements)
    catching_up: CatchingUp = field(default_factory=lambda: CatchingUp(_CATCH_UP_SECONDS))
    unsettled: set[asyncio.Future[object]] = field(default_factory=set)
    highest: Highest = field(default_factory=Highest)
    generation: int = 0
    recovering: set[str] = field(default_factory=lambda: set(REPORTER_TABLES))

    def stalled(self) -> str | None:
        """Say that Kafka is not asked for records any more, or None: what liveness asks."""
        age = time.monotonic() - self.app.consumer.polled_at
        return f"Kafka was not polled for {age:.0f} seconds" if age > _STALE_SECONDS else None

    def measure_work(self) -> None:
        """Note what is in work, and how far the tables are behind."""
        in_work = self.acknowledgements.in_work()
        for topic, gauge in self.measured.in_flight.items():
            gauge.set(in_work.get(topic, 0))
        metrics.RECOVERING_RECORDS.set(self.restoring())

    def oldest_at(self, partition: Partition) -> float | None:
        """Say when the oldest record in work was written; None where none is."""
        return self.acknowledgements.oldest_at(partition)

    def forget(self) -> None:
        """Drop what is known of records and partitions that may have gone to another process."""
        self.generation += 1
        self.recovering = set(REPORTER_TABLES)
        self.acknowledgements.forget()
        self.catching_up.forget()

    async def settle(self) -> None:
        """Wait until all table writes so far are durable."""
        await asyncio.gather(*self.unsettled)

    def when_recovered(self, call: Callable[[], Awaitable[None]]) -> None:
        """Have something called after the recovery of each table."""
        for table in self.tables.values():
            table.on_recover(_apart(call))

    def assigned(self) -> set[Partition]:
        """The partitions that this process reads."""
        topics = {topic.name for topic in SOURCES}
        return {(tp.topic, tp.partition) for tp in self.app.consumer.assignment() if tp.topic in topics}

    def numbers(self) -> set[int]:
        """The numbers of the partitions whose inferences this process looks after."""
        return {number for topic, number in self.assigned() if topic == IMAGES_CLASSIFIED.name}

    def position(self, partition: Partition) -> int | None:
        """Give the offset of the first record that is not taken yet; None where none ever was."""
        known = self.acknowledgements.position(partition)
        found: int | None = self.app.consumer._committed_offset.get(TP(*partition))  # noqa: SLF001
        return found if known is None else known

    def expected(self, partition: Partition) -> int | None:
        """Give the offset that the next record should have; None where only Kafka knows, for the first one."""
        known = self.acknowledgements.expected(partition)
        return self.position(partition) if known is None else known

    def restoring(self) -> int:
        """How many records the tables are behind."""
        recovery = self.app.tables.recovery
        return int(recovery.active_remaining_total())

    def caught_up(self, inference_id: str, _: datetime) -> bool:
        """Whether the results of a batch that lay in the log when it was first asked for are taken by now."""
        partition = IMAGES_CLASSIFIED.name, partition_of(inference_id.encode(), PARTITIONS)
        if partition not in self.assigned():
            return False
        end = self.app.consumer.highwater(TP(*partition))
        return self.catching_up.is_reached(inference_id, time.monotonic(), end, self.position(partition))


def _apart(call: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Faust takes each callback once only."""

    async def called() -> None:
        await call()

    return called


def faust_app(settings: ReporterSettings) -> Stream:
    """Build the app with its tables; topics and changelogs exist already, made by `huestream topics`.

    Raises `SettingsError` where the store is not installed.
    """
    if settings.state_store == "rocksdb://" and importlib.util.find_spec("rocksdict") is None:
        raise SettingsError("HUESTREAM_STATE_STORE: rocksdb:// needs rocksdict; install huestream[rocksdb].")
    app = faust.App(
        REPORTER_APP,
        broker=[f"kafka://{server}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings.cluster),
        store=settings.state_store,
        datadir=str(_folder(settings)),
        Table=_Table,
        TableManager=_TableManager,
        key_serializer="raw",
        value_serializer="raw",
        processing_guarantee="at_least_once",
        stream_wait_empty=False,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_linger=0.005,
        topic_partitions=PARTITIONS,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=settings.standby_replicas,
        worker_redirect_stdouts=False,
        web_enabled=False,
    )
    transport: Any = app.transport
    measured = GroupMetrics(REPORTER_APP, SOURCES)
    transport.Consumer = _consuming(SOURCES, measured)
    options = _ROCKSDB if settings.state_store == "rocksdb://" else {}
    tables: dict[str, Any] = {
        name: app.Table(name, partitions=PARTITIONS, key_type=bytes, value_type=bytes, options=dict(options))
        for name in REPORTER_TABLES
    }
    stream = Stream(app, tables, Gathering(Tables(**tables)), measured)
    for table in tables.values():
        table.generation = lambda: stream.generation
    return stream


def _consuming(topics: Iterable[Topic], measured: GroupMetrics) -> type[SteadyConsumer]:
    told = {"sources": frozenset(topic.name for topic in topics), "measured": measured}
    return type("ReporterConsumer", (SteadyConsumer,), told)


def _folder(settings: ReporterSettings) -> Path:
    return Path(settings.state_dir) / "reporter"


def _credentials(cluster: Cluster) -> CredentialsT | None:
    if cluster.sasl:
        mechanism, username, password = cluster.sasl.mechanism, cluster.sasl.username, cluster.sasl.password
        return faust.SASLCredentials(username=username, password=password, ssl_context=cluster.tls, mechanism=mechanism)
    return faust.SSLCredentials(cluster.tls) if cluster.tls else None


class Running:
    """The app from its start to its end; ready once its tables are recovered."""

    def __init__(self, stream: Stream, end_work: Callable[[], Awaitable[None]], settings: ReporterSettings) -> None:
        self._stream = stream
        self._end_work = end_work
        self._app = stream.app
        self._settings = settings
        for name, table in stream.tables.items():
            table.on_recover(self._recovered(name))

    async def __aenter__(self) -> Self:
        """Start, or end the process past the limit: Faust would try for ever, and its threads cannot be ended."""
        _folder(self._settings).mkdir(parents=True, exist_ok=True)
        try:
            async with asyncio.timeout(self._settings.start_timeout_seconds):
                await self._app.start()
        except TimeoutError:
            end_process("Kafka went away while it started")
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            async with asyncio.timeout(self._settings.drain_timeout_seconds):
                await self._end_work()  # Faust stops its producer with what is still to be written
                await self._app.stop()
        except TimeoutError:
            end_process("Kafka is away: what was not acknowledged is read again")

    def trouble(self) -> str | None:
        """Say why nothing is reported just now, or None."""
        recovering = self._stream.recovering
        return f"recovering {', '.join(sorted(recovering))}" if recovering else None

    async def until_crashed(self) -> None:
        """Wait until the app ends by itself, and raise why."""
        await self._app.wait_until_stopped()
        if isinstance(self._app.crash_reason, ConsistencyError):  # Kafka has less than we: begin anew with what it has
            shutil.rmtree(_folder(self._settings), ignore_errors=True)
        raise self._app.crash_reason or RuntimeError("Faust stopped")

    def _recovered(self, name: str) -> Callable[[], Awaitable[None]]:
        async def recovered() -> None:
            self._stream.recovering.discard(name)

        return recovered


def emitter(stream: Stream) -> Callable[[ReportReady], Awaitable[None]]:
    """Write to the outbox, and wait until it is durable."""
    topic = topic_of(stream.app, REPORTS_READY)

    async def emit(event: ReportReady) -> None:
        await send(topic, REPORTS_READY, event)

    return emit


def topic_of(app: Any, topic: Topic) -> Any:
    """Give Faust's view of a topic."""
    return app.topic(topic.name, key_type=bytes, value_type=bytes, partitions=topic.partitions)


async def send(faust_topic: Any, topic: Topic, event: Event) -> None:
    """Write an event, and wait until it is durable."""
    await (await faust_topic.send(key=topic.key(event).encode(), value=event.encode()))


def end_process(why: str) -> NoReturn:
    """End at once, without the commit that an orderly end would make."""
    logging.getLogger(__name__).error("ended itself: %s", why)
    os._exit(_OURS)
