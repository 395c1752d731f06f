"""Encoded events go out in few batches, however they come, and none is left behind."""

import asyncio
import time

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from schemas.topics import IMAGES_SUBMITTED
from services.runtime.kafka import KafkaUnavailableError, Publisher

BATCH_BYTES = 4_096
Sent = tuple[int, list[tuple[bytes, bytes]], asyncio.Future[object]]


class Broker:
    """Takes batches, and acknowledges them when it is told to."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(BATCH_BYTES, 0)

    async def send_batch(self, batch: BatchBuilder, _: str, partition: int) -> asyncio.Future[object]:
        acknowledged: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        records = [(each.key, each.value) for each in MemoryRecords(bytes(batch._build())).next_batch()]  # noqa: SLF001
        self.sent.append((partition, records, acknowledged))
        return acknowledged

    async def has_sent(self, batches: int) -> list[Sent]:
        async with asyncio.timeout(10):
            while len(self.sent) < batches:  # noqa: ASYNC110  # no event of the publisher's tells
                await asyncio.sleep(0.001)
        taken, self.sent = self.sent, []
        return taken


def acknowledge(sent: list[Sent]) -> None:
    for _, _, acknowledged in sent:
        acknowledged.set_result(None)


def records(name: str, count: int, size: int = 10) -> list[tuple[bytes, bytes]]:
    return [(f"{name}/{number}".encode(), b"v" * size) for number in range(count)]


@pytest.fixture
def broker() -> Broker:
    return Broker()


def publishing(out: Publisher, name: str, count: int, size: int = 10) -> asyncio.Task[None]:
    return asyncio.create_task(out.publish_evenly(IMAGES_SUBMITTED, records(name, count, size), 3))


async def test_records_go_over_all_partitions_in_turn_from_the_first_that_is_named(broker: Broker) -> None:
    done = publishing(Publisher(broker, 10), "a", 25)
    sent = await broker.has_sent(12)
    assert [partition for partition, _, _ in sent] == list(range(12))
    by_partition = {partition: [key for key, _ in found] for partition, found, _ in sent}
    assert by_partition[3] == [b"a/0", b"a/12", b"a/24"]
    assert by_partition[2] == [b"a/11", b"a/23"]
    acknowledge(sent)
    await done


async def test_what_comes_within_a_moment_goes_together(broker: Broker) -> None:
    out = Publisher(broker, 10)
    done = [publishing(out, name, 12) for name in "bcd"]
    sent = await broker.has_sent(12)
    assert [[key for key, _ in found] for _, found, _ in sent][3] == [b"b/0", b"c/0", b"d/0"]
    acknowledge(sent)
    await asyncio.gather(*done)
    assert broker.sent == []


async def test_while_more_comes_it_waits_for_a_few_moments_and_not_for_ever(broker: Broker) -> None:
    out, began, done = Publisher(broker, 10), time.monotonic(), []
    async with asyncio.timeout(10):
        while not broker.sent:
            done.append(publishing(out, "a", 1, BATCH_BYTES))
            await asyncio.sleep(0)
        assert time.monotonic() - began >= 0.01
        while not all(task.done() for task in done):
            sent, broker.sent = broker.sent, []
            acknowledge(sent)
            await asyncio.sleep(0)


async def test_more_than_a_batch_holds_is_several_and_nothing_is_lost(broker: Broker) -> None:
    done = publishing(Publisher(broker, 10), "a", 120, 1_000)
    sent = await broker.has_sent(12 * 4)
    acknowledge(sent)
    await done
    assert sorted(record for _, found, _ in sent for record in found) == sorted(records("a", 120, 1_000))


async def test_a_record_larger_than_a_batch_is_sent_all_the_same(broker: Broker) -> None:
    done = publishing(Publisher(broker, 10), "a", 1, 3 * BATCH_BYTES)
    [(_, [(_, value)], _)] = sent = await broker.has_sent(1)
    assert len(value) == 3 * BATCH_BYTES
    acknowledge(sent)
    await done


async def test_after_a_send_that_was_not_acknowledged_in_time_the_next_one_goes_on(broker: Broker) -> None:
    out = Publisher(broker, 1.0)
    first = publishing(out, "a", 1)
    await broker.has_sent(1)
    second = publishing(out, "b", 1)
    with pytest.raises(KafkaUnavailableError):
        await first
    acknowledge(await broker.has_sent(1))
    await second
