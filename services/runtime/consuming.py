"""A group's consumer: many records in flight, bounded; each offset committed only when all before it are done."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from schemas.topics import Topic
from services.runtime.fairness import RoundRobin
from services.runtime.kafka import Record, record_of
from services.runtime.lag import LagWatch, Reading
from services.runtime.lifecycle import beside
from services.runtime.logs import Logger
from services.runtime.metrics import GroupMetrics
from services.runtime.offsets import ContiguousOffsets, Highest

Process = Callable[[Record], Awaitable[None]]
Owner = Callable[[Record], str]
COMMIT_SECONDS = 1.0
_COMMIT_TIMEOUT_SECONDS = 5.0
_POLL_MS = 200
_POLL_RECORDS = 500
_RESUME_SHARE = 0.75
_STALE_SECONDS = 60.0
_LAG_SECONDS = 5.0
"""How often the lag is measured, and how long that may take."""


@dataclass(frozen=True)
class Source:
    """What is read, by which group, and whose a record is."""

    topic: Topic
    group: str
    owner: Owner


@dataclass(frozen=True)
class Window:
    """How much of the log one process has in hand at most."""

    at_once: int
    """Records that are processed at the same time."""
    records: int
    """Records taken and not done, of all partitions."""
    records_per_partition: int
    ahead: int = 10_000
    """Offsets of a partition that may be done behind one that is not: what a crash makes read again."""
    value_bytes: int = 64 * 1024 * 1024
    """Bytes of the records taken and not done."""


@dataclass(frozen=True, eq=False)
class _Taken:
    """A record in hand, until it is done or its partition is lost."""

    partition: TopicPartition
    record: Record
    offsets: ContiguousOffsets

    @property
    def size(self) -> int:
        return len(self.record.value or b"")


class Consumption(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Takes records of a topic within a window, and processes them fairly between their owners.

    `process` returns when its record is done for good. An exception out of it is ours: it ends the consumption
    without a commit of that record, so that it is read again. An owner may have no more records at work than there
    are free places, so that a newcomer always finds one, whatever the others' records wait for.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        process: Process,
        log: Logger,
        *,
        source: Source,
        window: Window,
        drain_seconds: float,
    ) -> None:
        self._consumer = consumer
        self._process = process
        self._log = log
        self._topic = source.topic
        self._metrics = GroupMetrics(source.group, [source.topic])
        self._owner = source.owner
        self._window = window
        self._drain_seconds = drain_seconds
        self._offsets: dict[TopicPartition, ContiguousOffsets] = {}
        self._line = RoundRobin[_Taken]()
        self._active: Counter[str] = Counter()
        self._work: dict[asyncio.Task[None], TopicPartition] = {}
        self._in_hand = 0
        self._bytes_in_hand = 0
        self._failure: BaseException | None = None
        self._last_poll = time.monotonic()
        self._last_commit = time.monotonic()
        self._highest = Highest()

    @property
    def poll_age_seconds(self) -> float:
        """Seconds since Kafka was last asked for records: what liveness watches."""
        return time.monotonic() - self._last_poll

    def stalled(self) -> str | None:
        """Say that Kafka is not asked for records any more, or None: what liveness asks."""
        if self.poll_age_seconds > _STALE_SECONDS:
            return f"Kafka was not polled for {self.poll_age_seconds:.0f} seconds"
        return None

    def trouble(self) -> str | None:
        """Say why the group's work does not go on, or None when it does: what readiness asks."""
        return self.stalled() or (None if self._consumer.assignment() else "no partitions are assigned")

    @property
    def records_in_hand(self) -> int:
        """Records taken and not done."""
        return self._in_hand

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping` is set, then finish what is in flight, commit and return."""
        self._consumer.subscribe([self._topic.name], listener=self)
        async with beside(self._measure_lag()):
            try:
                while not stopping.is_set():
                    await self._turn()
            finally:
                await self._let_go(set(self._offsets))

    async def _turn(self) -> None:
        self._pause_and_resume()
        self._last_poll = time.monotonic()
        self._metrics.polled.set_to_current_time()
        # Asked even when all is paused: a member that does not poll loses its partitions.
        found = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
        for partition, records in found.items():
            self._take(partition, records)
        self._start()
        if self._failure is not None:
            raise self._failure
        if time.monotonic() - self._last_commit >= COMMIT_SECONDS:
            await self._commit()

    def _pause_and_resume(self) -> None:
        """Pause what is full, and resume it when a quarter is free again; a rebalance forgets what was paused."""
        assigned, paused = self._consumer.assignment(), self._consumer.paused()
        share = _RESUME_SHARE if assigned and paused >= assigned else 1.0
        full = self._in_hand >= share * self._window.records or self._bytes_in_hand >= share * self._window.value_bytes
        wanted = {
            found for found in assigned if full or self._is_full(found, _RESUME_SHARE if found in paused else 1.0)
        }
        if wanted - paused:
            self._consumer.pause(*(wanted - paused))
        if paused - wanted:
            self._consumer.resume(*(paused - wanted))

    def _is_full(self, partition: TopicPartition, share: float) -> bool:
        offsets = self._offsets.get(partition)
        return offsets is not None and (
            offsets.unfinished >= share * self._window.records_per_partition
            or offsets.ahead >= share * self._window.ahead
        )

    def _take(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        offsets = self._offsets.setdefault(partition, ContiguousOffsets(first=records[0].offset))
        self._metrics.records[partition.topic].inc(len(records))
        if again := self._highest.again(partition, [found.offset for found in records]):
            self._metrics.redelivered[partition.topic].inc(again)
        for found in records:
            record = record_of(found)
            offsets.take(record.offset, record.written_at)
            taken = _Taken(partition, record, offsets)
            self._in_hand += 1
            self._bytes_in_hand += taken.size
            self._line.put(self._owner(record), taken)
        self._metrics.in_flight[partition.topic].set(self._in_hand)

    def _start(self) -> None:
        """Begin what may begin; called whenever something was taken or has ended."""
        while (found := self._line.take(self._may_start)) is not None:
            owner, taken = found
            self._active[owner] += 1
            task = asyncio.create_task(self._process_one(taken))
            self._work[task] = taken.partition
            task.add_done_callback(partial(self._end, owner, taken))

    def _may_start(self, owner: str) -> bool:
        return self._active[owner] < self._window.at_once - len(self._work)

    async def _process_one(self, taken: _Taken) -> None:
        await self._process(taken.record)
        taken.offsets.finish(taken.record.offset)

    def _end(self, owner: str, taken: _Taken, task: asyncio.Task[None]) -> None:
        """Make place for the next; what the work raised is raised again by the next turn."""
        del self._work[task]
        self._active[owner] -= 1
        if not self._active[owner]:
            del self._active[owner]
        if not task.cancelled():
            self._failure = self._failure or task.exception()
        self._forget([taken])
        self._start()

    def _forget(self, items: Sequence[_Taken]) -> None:
        self._in_hand -= len(items)
        self._bytes_in_hand -= sum(item.size for item in items)
        self._metrics.in_flight[self._topic.name].set(self._in_hand)

    async def _commit(self) -> None:
        self._last_commit = time.monotonic()
        ready = {
            partition: position
            for partition, offsets in self._offsets.items()
            if (position := offsets.committable()) is not None
        }
        if not ready:
            self._metrics.committed.set_to_current_time()  # all that is done is
            return
        try:
            await asyncio.wait_for(self._consumer.commit(ready), timeout=_COMMIT_TIMEOUT_SECONDS)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            # After losing a partition this is normal: its new owner does the work again. While Kafka is away the
            # next commit says the same and more.
            self._log.warning("commit_failed", reason=type(error).__name__)
            self._metrics.commit_failures.inc()
            return
        self._metrics.committed.set_to_current_time()
        for partition, position in ready.items():
            if partition in self._offsets:
                self._offsets[partition].committed(position)

    async def _let_go(self, lost: set[TopicPartition]) -> None:
        """Drop what has not begun, let the rest end within the limit, and commit what is done."""
        self._forget(self._line.drop(lambda taken: taken.partition in lost))
        await self._drain([task for task, partition in self._work.items() if partition in lost])
        await self._commit()
        for partition in lost:
            self._offsets.pop(partition, None)

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
        self._metrics.partitions.set(0)
        await self._let_go(set(revoked))

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin anew at the committed offsets."""
        self._metrics.assigned(len(self._consumer.assignment()))
        self._log.info("partitions_assigned", count=len(assigned))

    async def _measure_lag(self) -> None:
        """Measure now and then how far behind we are; while Kafka is away, what was known last holds."""
        watch = LagWatch([self._topic.name])
        while True:
            with suppress(KafkaError, IllegalStateError, TimeoutError):
                async with asyncio.timeout(_LAG_SECONDS):
                    self._metrics.lag(watch.lags(time.time(), await self._readings()))
            await asyncio.sleep(_LAG_SECONDS)

    async def _readings(self) -> dict[TopicPartition, Reading]:
        partitions = list(self._consumer.assignment())
        ends = await self._consumer.end_offsets(partitions) if partitions else {}
        return {partition: await self._reading(partition, end) for partition, end in ends.items()}

    async def _reading(self, partition: TopicPartition, end: int) -> Reading:
        offsets = self._offsets.get(partition)
        if offsets is None:  # nothing was taken since the assignment: the position is what was committed
            return Reading(end, await self._consumer.position(partition))
        return Reading(end, offsets.position, offsets.oldest_at)
