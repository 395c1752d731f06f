"""Whatever moment partitions change hands in, each record comes to a turn; on a real Kafka, with the moments made."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.topics import PRODUCTS_SUBMITTED, Topic
from services.runtime.group_turns import GroupTurns
from services.runtime.kafka import Record, consumer, publisher
from services.runtime.logs import configure_logs
from services.runtime.topic_admin import topic_admin
from tests.kafka_fixtures import RunningKafka
from tests.waiting import eventually

RECORDS = 40
LIMIT_SECONDS = 30
Found = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class Member:
    """Works on records by noting them, and counts how often it was given partitions."""

    def __init__(self, worked: set[tuple[int, int]]) -> None:
        self._worked = worked
        self.beginnings = 0
        self.own: Sequence[int] = ()

    def begin(self, partitions: Sequence[int]) -> None:
        self.own = partitions
        self.beginnings += bool(partitions)

    async def turn(self, found: Mapping[int, Sequence[Record]]) -> Mapping[int, int]:
        self._worked |= {(number, each.offset) for number, records in found.items() for each in records}
        return {number: records[-1].offset + 1 for number, records in found.items()}


class ToldLate(GroupTurns):
    """Is told which partitions are its own when their first records have come already."""

    def __init__(self, reader: AIOKafkaConsumer, topic: Topic, member: Member) -> None:
        super().__init__(reader, topic, member.begin, member.turn, configure_logs("test", "error"))
        self.come = asyncio.Event()

        async def note(found: Found) -> None:
            if found:
                self.come.set()

        after_reading(reader, note)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            await self.come.wait()
        await super().on_partitions_assigned(assigned)


def after_reading(reader: AIOKafkaConsumer, do: Callable[[Found], Awaitable[None]]) -> None:
    """Do something between the reading of records and the turn that they are for."""
    read = reader.getmany

    async def getmany(*, timeout_ms: int, max_records: int) -> Found:
        found: Found = await read(timeout_ms=timeout_ms, max_records=max_records)
        await do(found)
        return found

    reader.getmany = getmany


async def topic_of(kafka: RunningKafka, name: str) -> Topic:
    """Make a topic of two partitions, with records in both."""
    topic = replace(PRODUCTS_SUBMITTED, name=name, partitions=2)
    async with topic_admin(kafka.bootstrap) as admin:
        await admin.create([topic], 1)
    async with publisher(kafka.bootstrap, 30, 30) as out:
        await out.publish_evenly(topic, [(b"key", b"value")] * RECORDS, 0)
    return topic


async def test_records_that_come_before_a_member_is_told_of_their_partition_are_read_again(kafka: RunningKafka) -> None:
    topic, worked = await topic_of(kafka, "told-late"), set[tuple[int, int]]()
    async with consumer(kafka.bootstrap, 30, "told-late") as reader, asyncio.TaskGroup() as tasks:
        late = ToldLate(reader, topic, Member(worked))
        running = tasks.create_task(late.run())
        await eventually(lambda: len(worked) == RECORDS, "turn of each record", LIMIT_SECONDS)
        running.cancel()
    assert late.come.is_set()


async def test_records_that_are_in_hand_when_another_member_joins_come_to_a_turn_of_either(kafka: RunningKafka) -> None:
    topic, worked = await topic_of(kafka, "in-hand"), set[tuple[int, int]]()
    first, second = Member(worked), Member(worked)
    held: list[int] = []
    async with AsyncExitStack() as open_:
        readers = [await open_.enter_async_context(consumer(kafka.bootstrap, 30, "in-hand")) for _ in range(2)]
        tasks = await open_.enter_async_context(asyncio.TaskGroup())
        log = configure_logs("test", "error")

        async def hold(found: Found) -> None:
            if found and not held:
                held.extend(place.partition for place in found)
                running.append(tasks.create_task(GroupTurns(readers[1], topic, second.begin, second.turn, log).run()))
                await eventually(lambda: first.beginnings == 2, "second beginning", LIMIT_SECONDS)

        after_reading(readers[0], hold)
        running = [tasks.create_task(GroupTurns(readers[0], topic, first.begin, first.turn, log).run())]
        await eventually(lambda: len(worked) == RECORDS, "turn of each record", LIMIT_SECONDS)
        for each in running:
            each.cancel()
    assert held
    assert sorted([*first.own, *second.own]) == [0, 1]
