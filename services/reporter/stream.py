"""The one module that knows Faust: topics, tables, agents and timers around the logic of its neighbors.

An exception that leaves an agent acknowledges and skips the event. So what is the event's fault goes to the dead
letters, and what is ours ends the process before anything is acknowledged: the event is read again.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn, Self

import faust
from faust.exceptions import ConsistencyError
from faust.types import TP

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
from services.reporter.acknowledging import Acknowledgements, CatchingUp, Partition
from services.reporter.gathering import Gathering, Tables
from services.reporter.settings import ReporterSettings
from services.runtime.partitioning import partition_of

_CATCH_UP_SECONDS: Final = 300.0
_OURS: Final = 70  # EX_SOFTWARE
_ROCKSDB: Final = {
    "max_open_files": 64,
    "write_buffer_size": 2 * 1024 * 1024,
    "max_write_buffer_number": 2,
    "block_cache_size": 2 * 1024 * 1024,
    "bloom_filter_size": 10,
}
"""Each table has a database for each partition: the defaults would allow for 6 GB of buffers."""


class LostPartitionError(Exception):
    """The partition went elsewhere while a record of it was in work; whoever has it now reads the record again."""


@dataclass(eq=False)
class _Work:
    """What one record has written, and under which assignment of partitions it was read."""

    generation: int
    writes: list[asyncio.Future[object]] = field(default_factory=list)


_work: ContextVar[_Work] = ContextVar("work")


class _Table(faust.Table[bytes, bytes]):
    """A table that remembers its writes, and refuses those to partitions that were lost meanwhile."""

    generation: Callable[[], int]
    unsettled: set[asyncio.Future[object]]

    def send_changelog(self, partition: int | None, key: bytes, value: bytes, *args: Any, **kwargs: Any) -> Any:
        work = _work.get()
        if work.generation != self.generation():
            raise LostPartitionError
        written = super().send_changelog(partition, key, value, *args, **kwargs)
        work.writes.append(written)
        self.unsettled.add(written)
        written.add_done_callback(self.unsettled.discard)
        # The memory store forgets lost partitions by this index, but keeps it only for rows that it recovered.
        index = getattr(self.data, "_key_partition", None)
        if index is not None:
            index[key] = partition
        return written


SOURCES: Final = (BATCHES_SUBMITTED, IMAGES_CLASSIFIED, CANCELLATIONS_REQUESTED, REPORTER_CONTROL, REPORTS_READY)


@dataclass(eq=False)
class Stream:
    """The Faust app, its tables, and what of it the rest of the reporter needs."""

    app: Any
    tables: Mapping[str, Any]
    gathering: Gathering
    acknowledgements: Acknowledgements = field(default_factory=Acknowledgements)
    catching_up: CatchingUp = field(default_factory=lambda: CatchingUp(_CATCH_UP_SECONDS))
    unsettled: set[asyncio.Future[object]] = field(default_factory=set)
    generation: int = 0
    recovering: set[str] = field(default_factory=lambda: set(REPORTER_TABLES))

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
    """Build the app with its tables; topics and changelogs exist already, made by `huestream topics`."""
    app = faust.App(
        REPORTER_APP,
        broker=[f"kafka://{server}" for server in settings.bootstrap_servers.split(",")],
        store=settings.state_store,
        datadir=str(_folder(settings)),
        Table=_Table,
        key_serializer="raw",
        value_serializer="raw",
        processing_guarantee="at_least_once",
        stream_wait_empty=False,
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        topic_partitions=PARTITIONS,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=settings.standby_replicas,
        worker_redirect_stdouts=False,
        web_enabled=False,
    )
    options = _ROCKSDB if settings.state_store == "rocksdb://" else {}
    tables: dict[str, Any] = {
        name: app.Table(name, partitions=PARTITIONS, key_type=bytes, value_type=bytes, options=dict(options))
        for name in REPORTER_TABLES
    }
    stream = Stream(app, tables, Gathering(Tables(**tables)))
    for table in tables.values():
        table.generation = lambda: stream.generation
        table.unsettled = stream.unsettled
    return stream


def _folder(settings: ReporterSettings) -> Path:
    return Path(settings.state_dir) / "reporter"


class Running:
    """The app from its start to its end; ready once its tables are recovered."""

    def __init__(self, stream: Stream, settings: ReporterSettings) -> None:
        self._stream = stream
        self._app = stream.app
        self._settings = settings
        for name, table in stream.tables.items():
            table.on_recover(self._recovered(name))

    async def __aenter__(self) -> Self:
        _folder(self._settings).mkdir(parents=True, exist_ok=True)
        await self._app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.wait_for(self._app.stop(), self._settings.drain_timeout_seconds)
        except TimeoutError:
            end_process()  # Kafka is away: what was not acknowledged is read again

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


@contextmanager
def working(generation: int) -> Iterator[_Work]:
    """Remember what is written while the block runs, and refuse it once the partitions are others."""
    work = _Work(generation)
    token = _work.set(work)
    try:
        yield work
    finally:
        _work.reset(token)


def topic_of(app: Any, topic: Topic) -> Any:
    """Give Faust's view of a topic."""
    return app.topic(topic.name, key_type=bytes, value_type=bytes, partitions=topic.partitions)


async def send(faust_topic: Any, topic: Topic, event: Event) -> None:
    """Write an event, and wait until it is durable."""
    await (await faust_topic.send(key=topic.key(event).encode(), value=event.encode()))


def end_process() -> NoReturn:
    """End at once, without the commit that an orderly end would make."""
    os._exit(_OURS)
