"""Handing on the new records of a topic to those who wait for a key, while anybody waits."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import Topic
from services.runtime.kafka import KafkaUnavailableError, Record, record_of
from services.runtime.loops import Gate, wake

_POLL_MS: Final = 200


class Subscription:
    """The new records of one key, as they come; `arrived` is set with each."""

    def __init__(self, arrived: asyncio.Event) -> None:
        self.arrived = arrived
        self._records: list[Record] = []

    def add(self, records: Sequence[Record]) -> None:
        """Hand on records; whoever does that sets `arrived`."""
        self._records += records

    def take(self) -> list[Record]:
        """Take what has come since the last call."""
        taken, self._records = self._records, []
        return taken


class Tail:
    """Reads the end of a topic, for all subscriptions of this process together."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: Topic) -> None:
        self._consumer = consumer
        self._topic = topic
        self._subscriptions: dict[bytes, set[Subscription]] = {}
        self._wanted = asyncio.Event()
        self._reading = Gate()

    async def follow(self) -> None:
        """Read while anybody waits, until canceled."""
        while True:
            await self._wanted.wait()
            partitions = [TopicPartition(self._topic.name, number) for number in range(self._topic.partitions)]
            self._consumer.assign(partitions)
            await self._consumer.seek_to_end(*partitions)
            self._reading.open()
            while self._subscriptions:
                await self._read()
            self._wanted.clear()
            self._reading.close()
            self._consumer.unsubscribe()

    @asynccontextmanager
    async def subscribed(self, key: str, arrived: asyncio.Event, timeout_seconds: float) -> AsyncIterator[Subscription]:
        """Subscribe until the block ends; every record written after its beginning is handed on.

        Raises `KafkaUnavailableError` when reading does not begin within the limit.
        """
        subscription = Subscription(arrived)
        subscriptions = self._subscriptions.setdefault(key.encode(), set())
        subscriptions.add(subscription)
        self._wanted.set()
        try:
            await self._begun(timeout_seconds)
            yield subscription
        finally:
            subscriptions.discard(subscription)
            if not subscriptions:
                self._subscriptions.pop(key.encode(), None)

    async def _begun(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._reading.passed()
        except TimeoutError as error:
            raise KafkaUnavailableError(
                f"{self._topic.name} was not read within {timeout_seconds:g} seconds"
            ) from error

    async def _read(self) -> None:
        news: defaultdict[bytes, list[Record]] = defaultdict(list)
        for records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).values():
            for found in records:
                if found.key in self._subscriptions:
                    news[found.key].append(record_of(found))
        for key, some in news.items():
            self._hand_on(some, self._subscriptions.get(key, ()))

    def _hand_on(self, records: Sequence[Record], subscriptions: Collection[Subscription]) -> None:
        for subscription in subscriptions:
            subscription.add(records)
        wake([subscription.arrived for subscription in subscriptions])
