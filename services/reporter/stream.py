"""The one module that knows Faust: topics, tables, agents and timers around the logic of its neighbors.

An exception that leaves an agent acknowledges and skips the event. So what is the event's fault goes to the dead
letters, and what is ours ends the process before anything is acknowledged: the event is read again.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn, Self

import faust
from faust.types.auth import CredentialsT

from schemas.events import BatchSubmitted, ControlTick, Event, ImageClassified, ReportReady, UndecodableError
from schemas.topics import (
    BATCHES_SUBMITTED,
    IMAGES_CLASSIFIED,
    PARTITIONS,
    REPORTER_APP,
    REPORTER_CONTROL,
    REPORTER_TABLES,
    REPORTS_READY,
    Topic,
)
from services.reporter import metrics
from services.reporter.collecting import Collector
from services.reporter.delivering import Delivery
from services.reporter.gathering import Gathering, Tables
from services.reporter.settings import ReporterSettings
from services.runtime.cluster import Cluster
from services.runtime.kafka import Publisher, Record
from services.runtime.logs import Logger

TICK_SECONDS: Final = 1.0
PURGE_SECONDS: Final = 3600.0
_OURS: Final = 70  # EX_SOFTWARE


@dataclass(frozen=True)
class Stream:
    """The Faust app and what else runs beside it needs of it."""

    app: Any
    tables: Mapping[str, Any]
    gathering: Gathering


def faust_app(settings: ReporterSettings) -> Stream:
    """Build the app with its tables; topics and changelogs exist already, made by `huestream topics`."""
    app = faust.App(
        REPORTER_APP,
        broker=[f"kafka://{server}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings.cluster),
        store=settings.state_store,
        datadir=str(Path(settings.state_dir) / "reporter"),
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
    tables = {
        name: app.Table(name, partitions=PARTITIONS, key_type=bytes, value_type=bytes) for name in REPORTER_TABLES
    }
    return Stream(app, tables, Gathering(Tables(**tables)))


def _credentials(cluster: Cluster) -> CredentialsT | None:
    if cluster.sasl:
        mechanism, username, password = cluster.sasl.mechanism, cluster.sasl.username, cluster.sasl.password
        return faust.SASLCredentials(username=username, password=password, ssl_context=cluster.tls, mechanism=mechanism)
    return faust.SSLCredentials(cluster.tls) if cluster.tls else None


class Running:
    """The app from its start to its end; ready once its tables are recovered."""

    def __init__(self, stream: Stream, stop_seconds: float) -> None:
        self._app = stream.app
        self._stop_seconds = stop_seconds
        self._recovering = set(REPORTER_TABLES)
        for name, table in stream.tables.items():
            table.on_recover(self._recovered(name))
        self._app.on_partitions_revoked.connect(self._revoked, weak=False)

    async def __aenter__(self) -> Self:
        await self._app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.wait_for(self._app.stop(), self._stop_seconds)
        except TimeoutError:
            _end()  # Kafka is away: what was not acknowledged is read again

    def trouble(self) -> str | None:
        """Say why nothing is reported just now, or None."""
        return f"recovering {', '.join(sorted(self._recovering))}" if self._recovering else None

    async def until_crashed(self) -> None:
        """Wait until the app ends by itself, and raise why."""
        await self._app.wait_until_stopped()
        raise self._app.crash_reason or RuntimeError("Faust stopped")

    def _recovered(self, name: str) -> Callable[[], Awaitable[None]]:
        async def recovered() -> None:
            self._recovering.discard(name)

        return recovered

    async def _revoked(self, *_: object, **__: object) -> None:
        self._recovering = set(REPORTER_TABLES)


def emitter(stream: Stream) -> Callable[[ReportReady], Awaitable[None]]:
    """Write to the outbox, and wait until it is durable."""
    topic = _topic(stream.app, REPORTS_READY)

    async def emit(event: ReportReady) -> None:
        await _send(topic, REPORTS_READY, event)

    return emit


def connect(stream: Stream, collector: Collector, delivery: Delivery, letters: Publisher, log: Logger) -> None:
    """Connect agents and timers to the logic."""

    async def open_batch(batch: BatchSubmitted) -> None:
        await collector.open(batch, _now())

    async def add_result(result: ImageClassified) -> None:
        if await collector.add(result, _now()) == "unusable":
            raise UndecodableError("index: it lies outside of the batch")

    async def act(tick: ControlTick) -> None:
        await collector.tick(tick, _now())

    async def deliver(ready: ReportReady) -> None:
        await delivery.deliver(ready.inference_id, ready.reason, _now())

    for topic, event_type, handle in (
        (BATCHES_SUBMITTED, BatchSubmitted, open_batch),
        (IMAGES_CLASSIFIED, ImageClassified, add_result),
        (REPORTER_CONTROL, ControlTick, act),
        (REPORTS_READY, ReportReady, deliver),
    ):
        _agent(stream.app, topic, event_type, handle, letters, log)  # type: ignore[arg-type]  # each with its own
    _timers(stream.app, collector, log)
    stream.app.on_partitions_revoked.connect(lambda *_, **__: collector.forget(), weak=False)


def _agent(
    app: Any,
    topic: Topic,
    event_type: type[Event],
    handle: Callable[[Event], Awaitable[None]],
    letters: Publisher,
    log: Logger,
) -> None:
    async def agent(stream: Any) -> None:
        async for found in stream.events():
            await _use(found, topic, event_type, handle, letters, log)

    app.agent(_topic(app, topic), name=f"reporter.{topic.name}", concurrency=1)(agent)


async def _use(
    found: Any,
    topic: Topic,
    event_type: type[Event],
    handle: Callable[[Event], Awaitable[None]],
    letters: Publisher,
    log: Logger,
) -> None:
    """Handle one record; returns only when it may be acknowledged."""
    message = found.message
    try:
        try:
            await handle(event_type.decode(message.value))
        except UndecodableError as error:
            metrics.DEAD_LETTERS.inc()
            log.warning("dead_letter", topic=topic.name, offset=message.offset, reason=str(error))
            record = Record(topic.name, message.partition, message.offset, message.key, message.value)
            await letters.dead_letter(record, "reporter", str(error))
    except Exception:  # ours: nothing may be acknowledged any more
        log.exception("reporter_failed", topic=topic.name, partition=message.partition, offset=message.offset)
        _end()


def _timers(app: Any, collector: Collector, log: Logger) -> None:
    """Find what is due and say so on the control topic: tables are written in streams only."""
    control = _topic(app, REPORTER_CONTROL)

    @app.timer(TICK_SECONDS, on_leader=False)  # type: ignore[untyped-decorator]
    async def tick() -> None:
        for due in list(collector.due_ticks(_now())):
            await _tick(due)

    @app.timer(PURGE_SECONDS)  # type: ignore[untyped-decorator]
    async def purge() -> None:
        for old in list(collector.old_markers(_now())):
            await _tick(old)

    async def _tick(event: ControlTick) -> None:
        try:
            await _send(control, REPORTER_CONTROL, event)
        except Exception:  # the next turn finds it due again
            log.exception("tick_failed", inference_id=event.inference_id)


def _topic(app: Any, topic: Topic) -> Any:
    return app.topic(topic.name, key_type=bytes, value_type=bytes, partitions=topic.partitions)


async def _send(faust_topic: Any, topic: Topic, event: Event) -> None:
    await (await faust_topic.send(key=topic.key(event).encode(), value=event.encode()))


def _end() -> NoReturn:
    """End at once, without the commit that an orderly end would make."""
    os._exit(_OURS)


def _now() -> datetime:
    return datetime.now(UTC)
