"""A group's consumer: many records in flight, bounded; each offset committed only when all before it are done."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from schemas.topics import Topic
from services.runtime.kafka import Record
from services.runtime.logs import Logger
from services.runtime.offsets import ContiguousOffsets

Process = Callable[[Record], Awaitable[None]]
COMMIT_SECONDS = 1.0
_POLL_MS = 200
_FULL_WAIT_SECONDS = 0.2
_STALE_SECONDS = 60.0


class Consumption(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Takes records of a topic and processes at most `in_flight` of them at once.

    `process` returns when its record is done for good. An exception out of it is ours: it ends the consumption
    without a commit of that record, so that it is read again.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, process: Process, log: Logger, *, in_flight: int, drain_seconds: float
    ) -> None:
        self._consumer = consumer
        self._process = process
        self._log = log
        self._in_flight = in_flight
        self._drain_seconds = drain_seconds
        self._offsets: dict[TopicPartition, ContiguousOffsets] = {}
        self._work: dict[asyncio.Task[None], TopicPartition] = {}
        self._last_poll = time.monotonic()
        self._last_commit = time.monotonic()

    @property
    def poll_age_seconds(self) -> float:
        """Seconds since Kafka was last asked for records: what liveness watches."""
        return time.monotonic() - self._last_poll

    def trouble(self) -> str | None:
        """Say why the group's work does not go on, or None when it does: what readiness asks."""
        if self.poll_age_seconds > _STALE_SECONDS:
            return f"Kafka was not polled for {self.poll_age_seconds:.0f} seconds"
        return None if self._consumer.assignment() else "no partitions are assigned"

    @property
    def records_in_flight(self) -> int:
        """Records whose processing has begun and not ended."""
        return len(self._work)

    async def run(self, topic: Topic, stopping: asyncio.Event) -> None:
        """Consume until `stopping` is set, then finish what is in flight, commit and return."""
        self._consumer.subscribe([topic.name], listener=self)
        try:
            while not stopping.is_set():
                await self._turn()
        finally:
            await self._drain(list(self._work))
            await self._commit()

    async def _turn(self) -> None:
        free = self._in_flight - len(self._work)
        if free > 0:
            self._last_poll = time.monotonic()
            found = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=free)
            for partition, records in found.items():
                self._take(partition, records)
        else:
            await asyncio.wait(self._work, timeout=_FULL_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        self._collect()
        if time.monotonic() - self._last_commit >= COMMIT_SECONDS:
            await self._commit()

    def _take(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        offsets = self._offsets.setdefault(partition, ContiguousOffsets(first=records[0].offset))
        for found in records:
            offsets.take(found.offset)
            record = Record(found.topic, found.partition, found.offset, found.key, found.value)
            self._work[asyncio.create_task(self._process_one(record, offsets))] = partition

    async def _process_one(self, record: Record, offsets: ContiguousOffsets) -> None:
        await self._process(record)
        offsets.finish(record.offset)

    def _collect(self) -> None:
        """Forget the tasks that are done; raise what one of them raised."""
        for task in [task for task in self._work if task.done()]:
            del self._work[task]
            task.result()

    async def _commit(self) -> None:
        self._last_commit = time.monotonic()
        ready = {
            partition: position
            for partition, offsets in self._offsets.items()
            if (position := offsets.committable()) is not None
        }
        if not ready:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(ready), timeout=self._drain_seconds)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            # After losing a partition this is normal: its new owner does the work again. While Kafka is away the
            # next commit says the same and more.
            self._log.warning("commit_failed", reason=type(error).__name__)
            return
        for partition, position in ready.items():
            if partition in self._offsets:
                self._offsets[partition].committed(position)

    async def _drain(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Let work in flight end within the limit; what does not is canceled and will be read again."""
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self._drain_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Finish and commit what was taken from partitions that go to another member."""
        lost = set(revoked)
        await self._drain([task for task, partition in self._work.items() if partition in lost])
        await self._commit()
        for task in [task for task, partition in self._work.items() if partition in lost and task.done()]:
            if task.cancelled():
                del self._work[task]
        for partition in lost:
            self._offsets.pop(partition, None)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin anew at the committed offsets."""
        self._log.info("partitions_assigned", count=len(assigned))
