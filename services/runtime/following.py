"""Reading whole topics into memory: every replica folds the same log and so knows the same."""

import asyncio
import time
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.events import Event, UndecodableError
from schemas.topics import Topic
from services.runtime.kafka import KafkaUnavailableError, Record, hold_back, record_of
from services.runtime.logs import Logger
from services.runtime.metrics import RECORDS

Fold = Callable[[Record, Event], None]
_POLL_MS = 200
_STALE_SECONDS = 60.0
_METADATA_TRIES = 25


class Follower:
    """Follows topics from their beginning, without a group, and hands each event to the fold of its topic.

    With `gather_ms` what is new comes at once where nothing came for a while, and else gathered for so long.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, folds: Mapping[Topic, Fold], log: Logger, gather_ms: int | None = None
    ) -> None:
        self._consumer = consumer
        self._folds = {topic.name: (topic, fold) for topic, fold in folds.items()}
        self._log = log
        self._gather_ms = gather_ms
        self._moved = asyncio.Condition()
        self._last_poll = time.monotonic()

    def trouble(self) -> str | None:
        """Say that reading has stopped, or None while it goes on: what liveness asks."""
        age = time.monotonic() - self._last_poll
        return f"Kafka was not polled for {age:.0f} seconds" if age > _STALE_SECONDS else None

    async def catch_up(self, timeout_seconds: float) -> None:
        """Read all that is in the topics now; raises `KafkaUnavailableError` when that takes too long."""
        try:
            async with asyncio.timeout(timeout_seconds):
                partitions = await self._partitions()
                ends = await self._consumer.end_offsets(partitions)  # once these are read, it waits behind a question
                self._consumer.assign(partitions)
                await self._consumer.seek_to_beginning(*partitions)
                while not await self._reached(ends):
                    await self._read()
        except (TimeoutError, KafkaError) as error:
            raise KafkaUnavailableError(f"the topics were not read within {timeout_seconds:g} seconds") from error

    async def follow(self) -> None:
        """Go on reading until canceled."""
        while True:
            await self._read()

    async def read_to_end(self, timeout_seconds: float) -> None:
        """Wait until all that is in the topics now was folded; raises `KafkaUnavailableError` past the limit."""
        try:
            async with asyncio.timeout(timeout_seconds):
                ends = await self._consumer.end_offsets(self._consumer.assignment())
                async with self._moved:
                    while not await self._reached(ends):
                        await self._moved.wait()
        except (TimeoutError, KafkaError) as error:
            raise KafkaUnavailableError(f"the topics were not read within {timeout_seconds:g} seconds") from error

    async def wait_for(self, topic: Topic, partition: int, offset: int, timeout_seconds: float) -> None:
        """Wait until the record at this offset was folded; raises `KafkaUnavailableError` past the limit."""
        target = {TopicPartition(topic.name, partition): offset + 1}
        try:
            async with asyncio.timeout(timeout_seconds), self._moved:
                while not await self._reached(target):
                    await self._moved.wait()
        except TimeoutError as error:
            raise KafkaUnavailableError(f"{topic.name} was not read back in time") from error

    async def _partitions(self) -> list[TopicPartition]:
        """Name all partitions of all topics; a broker that does not know one yet is asked again."""
        for tried in range(_METADATA_TRIES):
            unknown = [name for name in self._folds if not self._consumer.partitions_for_topic(name)]
            if not unknown:
                break
            await asyncio.sleep(_POLL_MS / 1000 if tried else 0)
            await self._consumer._client.force_metadata_update()  # noqa: SLF001  # partitions_for_topic needs it
        else:
            raise KafkaUnavailableError(f"Kafka has no topic {unknown[0]}; create it with: huestream topics create")
        return [
            TopicPartition(name, number)
            for name in self._folds
            for number in sorted(self._consumer.partitions_for_topic(name))
        ]

    async def _reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        for partition, end in ends.items():
            if await self._consumer.position(partition) < end:
                return False
        return True

    async def _read(self) -> None:
        """Fold what there is."""
        self._last_poll = time.monotonic()
        batches = await self._consumer.getmany(timeout_ms=_POLL_MS)
        hold_back(self._consumer, self._gather_ms if batches else None)
        for records in batches.values():
            RECORDS.labels(records[0].topic).inc(len(records))
            for record in records:
                self._fold(record)
        if batches:
            async with self._moved:
                self._moved.notify_all()

    def _fold(self, found: ConsumerRecord) -> None:
        topic, fold = self._folds[found.topic]
        record = record_of(found)
        try:
            if topic.carries is not None and record.value is not None:
                fold(record, topic.carries.decode(record.value))
        except UndecodableError as error:
            self._log.warning("record_skipped", topic=record.topic, offset=record.offset, reason=str(error))
