"""Hands the records of each topic to the logic, and acknowledges them when all that they wrote is durable."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.events import (
    BatchSubmitted,
    CancellationRequested,
    ControlTick,
    Event,
    ImageClassified,
    ReportReady,
    UndecodableError,
)
from schemas.topics import (
    BATCHES_SUBMITTED,
    CANCELLATIONS_REQUESTED,
    IMAGES_CLASSIFIED,
    PARTITIONS,
    REPORTER_CONTROL,
    REPORTS_READY,
    Topic,
)
from services.reporter.acknowledging import Partition
from services.reporter.clock import Clock
from services.reporter.collecting import Collector
from services.reporter.delivering import Delivery
from services.reporter.gathering import LostPartitionError
from services.reporter.in_hand import InHand
from services.reporter.stream import Stream, Work, end_process, send, topic_of, work_in_hand
from services.runtime.kafka import Publisher, Record
from services.runtime.logs import Logger
from services.runtime.partitioning import partition_of
from services.runtime.trace_context import traceparent_of
from services.runtime.tracing import Tracer, Untraced

TICK_SECONDS: Final = 1.0
PURGE_SECONDS: Final = 3600.0
_ROWS_AT_ONCE: Final = 1000


@dataclass(frozen=True)
class Handlers:
    """What is done with the records of each topic."""

    collector: Collector
    delivery: Delivery
    letters: Publisher
    log: Logger
    clock: Clock
    has_records: Callable[[Partition, int | None, int], Awaitable[bool]]
    """Whether a partition holds records from one offset, or from the committed one, to before another."""
    tracer: Tracer = field(default_factory=Untraced)

    async def open(self, batch: BatchSubmitted, found: Record) -> None:
        """Take a batch record; a producer that partitions in another way would wait for its report in vain."""
        if found.partition != partition_of(batch.inference_id.encode(), PARTITIONS):
            raise UndecodableError("the record lies in the wrong partition: partition by murmur2 of inference_id")
        if await self.collector.open(batch, self.clock(), found.traceparent) == "contradicting":
            raise UndecodableError("size: another record of this batch came first, with another size")

    async def add(self, result: ImageClassified, found: Record) -> None:
        """Take a result."""
        with self.tracer.span("collect", found.traceparent):
            if await self.collector.add(result, self.clock()) == "unusable":
                raise UndecodableError("index: it lies outside of the batch")

    async def cancel(self, request: CancellationRequested, _: Record) -> None:
        """Take a cancellation."""
        await self.collector.cancel(request, self.clock())

    async def act(self, tick: ControlTick, _: Record) -> None:
        """Take a timer's word."""
        await self.collector.tick(tick, self.clock())

    async def deliver(self, ready: ReportReady, found: Record) -> None:
        """Take a record of the outbox."""

        async def bury(reason: str) -> None:
            await self.bury(found, reason)

        try:
            await self.delivery.deliver(ready.inference_id, bury)
        finally:
            self.collector.delivered(ready.inference_id)

    async def bury(self, record: Record, reason: str) -> None:
        """Put a record into the dead letters."""
        self.log.warning("dead_letter", topic=record.topic, offset=record.offset, reason=reason)
        await self.letters.dead_letter(record, "reporter", reason)

    def forget(self) -> None:
        """Drop what is known of partitions that may have gone to another process."""
        self.collector.forget()
        self.delivery.forget()


def connect(stream: Stream, handlers: Handlers, deliveries_at_once: int) -> Callable[[], Awaitable[None]]:
    """Connect agents and timers to the logic; returns what lets the work in hand end and begins none, before an end."""
    in_hand = InHand(stream.settle)
    agents = _Agents(stream, handlers, in_hand)
    agents.add(BATCHES_SUBMITTED, BatchSubmitted, handlers.open)
    agents.add(IMAGES_CLASSIFIED, ImageClassified, handlers.add)
    agents.add(CANCELLATIONS_REQUESTED, CancellationRequested, handlers.cancel)
    agents.add(REPORTER_CONTROL, ControlTick, handlers.act)
    agents.add(REPORTS_READY, ReportReady, handlers.deliver, deliveries_at_once)
    timers = _Timers(stream, handlers, in_hand)
    stream.app.timer(TICK_SECONDS, on_leader=False)(timers.tick)
    stream.app.timer(PURGE_SECONDS, on_leader=False)(timers.purge)

    async def revoked(*_: object, **__: object) -> None:
        stream.measured.partitions.set(0)
        await in_hand.finish()  # whoever takes over would mail again
        stream.forget()
        handlers.forget()

    async def recovered() -> None:
        handlers.forget()  # what was derived while the tables were recovered may be wrong

    async def assigned(*_: object, **__: object) -> None:
        stream.measured.assigned(len(stream.assigned()))

    stream.app.on_partitions_revoked.connect(revoked, weak=False)
    stream.app.on_partitions_assigned.connect(assigned, weak=False)
    stream.when_recovered(recovered)
    return in_hand.end


_Handle = Callable[[Any, Record], Awaitable[None]]


class _Agents:
    """Reads topics."""

    def __init__(self, stream: Stream, handlers: Handlers, in_hand: InHand) -> None:
        self._stream = stream
        self._handlers = handlers
        self._in_hand = in_hand
        self._deliveries: set[asyncio.Task[None]] = set()

    def add(self, topic: Topic, event_type: type[Event], handle: _Handle, at_once: int = 1) -> None:
        """Read a topic, one record after another or some beside each other."""
        slots = asyncio.Semaphore(at_once)

        async def one_by_one(records: Any) -> None:
            async for found in records.noack().events():
                await self._use(found, await self._taken(found), event_type, handle)

        async def beside_each_other(records: Any) -> None:
            async for found in records.noack().events():
                work = await self._taken(found)
                await slots.acquire()
                task = asyncio.create_task(self._use(found, work, event_type, handle))
                self._deliveries.add(task)
                task.add_done_callback(self._deliveries.discard)
                task.add_done_callback(lambda _: slots.release())

        agent = one_by_one if at_once == 1 else beside_each_other
        self._stream.app.agent(topic_of(self._stream.app, topic), name=f"reporter.{topic.name}", concurrency=1)(agent)

    async def _taken(self, found: Any) -> Work:
        message, stream = found.message, self._stream
        partition = (message.topic, message.partition)
        work = Work(stream.generation, unsettled=stream.unsettled)
        stream.measured.records[message.topic].inc()
        if stream.highest.again(partition, (message.offset,)):
            stream.measured.redelivered[message.topic].inc()
        if message.offset > (stream.expected(partition) or 0):
            await self._end_if_records_were_skipped(partition, message.offset, work)
        if work.generation == stream.generation:
            work.done = stream.acknowledgements.take(partition, message.offset, found.ack, message.timestamp)
        return work

    async def _end_if_records_were_skipped(self, partition: Partition, offset: int, work: Work) -> None:
        """End the process where records lie between the last one and this one; they are read again at its start.

        Offsets may be left out: by the markers of a producer's transaction, or where the log begins.
        """
        expected = self._stream.expected(partition)
        has_records = await self._handlers.has_records(partition, expected, offset)
        if has_records and work.generation == self._stream.generation and not self._in_hand.is_held_back:
            self._handlers.log.error("records_skipped", partition=partition, expected=expected, found=offset)
            end_process("records were skipped")

    async def _use(self, found: Any, work: Work, event_type: type[Event], handle: _Handle) -> None:
        """Handle one record, and have it acknowledged once its writes are durable."""
        if self._in_hand.is_held_back or work.generation != self._stream.generation:
            return  # it is read again, here or elsewhere
        with self._in_hand.one():
            await self._handle(found.message, work, event_type, handle)

    async def _handle(self, message: Any, work: Work, event_type: type[Event], handle: _Handle) -> None:
        trace = traceparent_of(_pairs(message.headers)) if message.headers else None
        record = Record(
            message.topic, message.partition, message.offset, message.key, message.value, message.timestamp, trace
        )
        work_in_hand.set(work)
        try:
            await self._decoded(record, event_type, handle)
        except LostPartitionError:
            self._handlers.log.info("left_to_another", topic=record.topic, partition=record.partition)
        except Exception:  # ours: nothing may be acknowledged any more
            self._handlers.log.exception("reporter_failed", topic=record.topic, offset=record.offset)
            end_process("a record could not be handled")
        else:
            work.handled()

    async def _decoded(self, record: Record, event_type: type[Event], handle: _Handle) -> None:
        try:
            await handle(_decoded(record, event_type), record)
        except UndecodableError as error:
            await self._handlers.bury(record, str(error))


def _pairs(headers: Any) -> Iterable[tuple[str, bytes | None]]:
    """Give the headers of Faust's message, which may be a mapping, as Kafka has them."""
    pairs: Iterable[tuple[str, bytes | None]] = headers.items() if isinstance(headers, Mapping) else headers
    return pairs


def _decoded(record: Record, event_type: type[Event]) -> Event:
    event = event_type.decode(record.value)
    if record.key != event.inference_id.encode():  # type: ignore[attr-defined]  # each event of these topics has one
        raise UndecodableError("the record's key is not its inference_id")
    return event


class _Timers:
    """Find what is due and say so on the control topic: tables are written in streams only."""

    def __init__(self, stream: Stream, handlers: Handlers, in_hand: InHand) -> None:
        self._stream = stream
        self._handlers = handlers
        self._in_hand = in_hand
        self._control = topic_of(stream.app, REPORTER_CONTROL)

    async def tick(self) -> None:
        """Find what time alone brings."""
        if not self._stream.recovering:
            await self._send(self._handlers.collector.due_ticks(self._handlers.clock()))

    async def purge(self) -> None:
        """Find markers and rows that nobody needs any more."""
        if self._stream.recovering:
            return
        collector, now = self._handlers.collector, self._handlers.clock()
        await self._send(collector.old_markers(now))
        keys = self._stream.gathering.row_keys()
        for first in range(0, len(keys), _ROWS_AT_ONCE):
            await self._send(collector.orphans(keys[first : first + _ROWS_AT_ONCE], now))
            await asyncio.sleep(0)

    async def _send(self, ticks: Iterable[ControlTick]) -> None:
        for tick in list(ticks):
            if self._in_hand.is_held_back:
                return  # the next turn finds the others due again, here or elsewhere
            with self._in_hand.one():
                await self._send_one(tick)

    async def _send_one(self, tick: ControlTick) -> None:
        try:
            await send(self._control, REPORTER_CONTROL, tick)
        except Exception:  # the next turn finds it due again
            self._handlers.log.exception("tick_failed", inference_id=tick.inference_id)
