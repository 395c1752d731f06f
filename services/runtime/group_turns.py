"""Reading as a member of a group, in turns: for work that depends on what else of a partition was read before."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from schemas.topics import Topic
from services.runtime.kafka import Record, record_of
from services.runtime.logs import Logger

Begin = Callable[[Sequence[int]], None]
"""Begin anew with these partitions and no others, each at what was committed."""
Turn = Callable[[Mapping[int, Sequence[Record]]], Awaitable[Mapping[int, int]]]
"""Work on what was read of each partition; returns the offsets to commit, by partition."""
_POLL_MS = 200
_POLL_RECORDS = 1_000
_COMMIT_TIMEOUT_SECONDS = 5.0
_POSITION_SECONDS = 1.0
_STALE_SECONDS = 120.0


class GroupTurns(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Takes turns: reads, works, commits. A rebalance waits for a turn to end; what is read meanwhile is read again."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: Topic, begin: Begin, turn: Turn, log: Logger) -> None:
        self._consumer = consumer
        self._topic = topic
        self._begin = begin
        self._work = turn
        self._log = log
        self._turn = asyncio.Lock()
        self._assignments = 0
        self._own: set[int] = set()
        self._committed: dict[int, int] = {}
        self._places: Mapping[int, int] = {}
        self._last_turn = time.monotonic()

    def trouble(self) -> str | None:
        """Say that turns have stopped, or None while they go on: what liveness asks."""
        age = time.monotonic() - self._last_turn
        return f"{self._topic.name} was not read for {age:.0f} seconds" if age > _STALE_SECONDS else None

    async def run(self) -> None:
        """Read until canceled."""
        self._consumer.subscribe([self._topic.name], listener=self)
        while True:
            found = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
            assignments = self._assignments
            async with self._turn:
                is_current = assignments == self._assignments
                own = self._own if is_current else set()
                await self._read_again({place: each for place, each in found.items() if place.partition not in own})
                if is_current:
                    self._places = await self._work(
                        {
                            place.partition: [record_of(each) for each in records]
                            for place, records in found.items()
                            if place.partition in own
                        }
                    )
                    await self._commit()
            self._last_turn = time.monotonic()

    async def _read_again(self, dropped: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """Go back to records that came before we were told that their partition is ours, or is ours again.

        Where reading began anew at what was committed, after these were read, they are left to that.
        """
        for place, records in dropped.items():
            # Without a position, or lost in between, it begins anew as well.
            with suppress(IllegalStateError, TimeoutError):
                async with asyncio.timeout(_POSITION_SECONDS):
                    position = await self._consumer.position(place)
                if position == records[-1].offset + 1:
                    self._consumer.seek(place, records[0].offset)

    async def _commit(self) -> None:
        new = {number: place for number, place in self._places.items() if place != self._committed.get(number)}
        if not new:
            return
        try:
            offsets = {TopicPartition(self._topic.name, number): place for number, place in new.items()}
            await asyncio.wait_for(self._consumer.commit(offsets), _COMMIT_TIMEOUT_SECONDS)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            # After losing a partition this is normal, and the next commit says the same and more.
            self._log.warning("commit_failed", reason=type(error).__name__)
        else:
            self._committed |= new

    async def on_partitions_revoked(self, _: Sequence[TopicPartition]) -> None:
        """Let the turn end, which commits; what is not done is read again, by whoever comes next."""
        async with self._turn:
            self._begin_with([])

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin anew at what was committed."""
        async with self._turn:
            self._begin_with(sorted(each.partition for each in assigned))
        self._log.info("partitions_assigned", topic=self._topic.name, count=len(assigned))

    def _begin_with(self, partitions: Sequence[int]) -> None:
        self._assignments += 1
        self._own, self._committed, self._places = set(partitions), {}, {}
        self._begin(partitions)
