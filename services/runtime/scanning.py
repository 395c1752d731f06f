"""Reading one key's records out of a topic, on demand, without having followed it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import Topic
from services.runtime.cluster import Kafka
from services.runtime.kafka import KafkaUnavailableError, Record, consumer, record_of
from services.runtime.partitioning import partition_of

_CLOCK_SLACK: Final = timedelta(minutes=1)
_POLL_MS: Final = 200


async def records_of(kafka: Kafka, topic: Topic, key: str, since: datetime, timeout_seconds: float) -> list[Record]:
    """Read the key's records written since then, in order; raises `KafkaUnavailableError` past the limit."""
    try:
        async with asyncio.timeout(timeout_seconds), consumer(kafka, timeout_seconds) as source:
            return await _scan(source, topic, key.encode(), since)
    except (TimeoutError, KafkaError) as error:
        raise KafkaUnavailableError(f"{topic.name} was not read within {timeout_seconds:g} seconds") from error


async def _scan(source: AIOKafkaConsumer, topic: Topic, key: bytes, since: datetime) -> list[Record]:
    partition = TopicPartition(topic.name, partition_of(key, topic.partitions))
    source.assign([partition])
    start = await source.offsets_for_times({partition: int((since - _CLOCK_SLACK).timestamp() * 1000)})
    end = (await source.end_offsets([partition]))[partition]
    if start[partition] is None:
        return []
    source.seek(partition, start[partition].offset)
    found: list[Record] = []
    while await source.position(partition) < end:
        for records in (await source.getmany(timeout_ms=_POLL_MS)).values():
            found += [record_of(each) for each in records if each.key == key]
    return found


async def fold_all(
    kafka: Kafka,
    topic: Topic,
    partitions: Iterable[int],
    fold: Callable[[Record], None],
    timeout_seconds: float,
) -> None:
    """Hand on all that some partitions of a topic hold now; raises `KafkaUnavailableError` past the limit."""
    wanted = [TopicPartition(topic.name, number) for number in partitions]
    try:
        async with asyncio.timeout(timeout_seconds), consumer(kafka, timeout_seconds) as source:
            source.assign(wanted)
            await source.seek_to_beginning(*wanted)
            ends = await source.end_offsets(wanted)
            while [partition for partition in wanted if await source.position(partition) < ends[partition]]:
                for records in (await source.getmany(timeout_ms=_POLL_MS)).values():
                    for found in records:
                        fold(record_of(found))
    except (TimeoutError, KafkaError) as error:
        raise KafkaUnavailableError(f"{topic.name} was not read within {timeout_seconds:g} seconds") from error


async def has_records(
    kafka: Kafka, group: str, timeout_seconds: float, partition: tuple[str, int], first: int | None, end: int
) -> bool:
    """Say whether a partition holds records from `first`, or from what a group has committed, to before `end`.

    There must be one at `end`. Raises `KafkaUnavailableError`.
    """
    wanted = TopicPartition(*partition)
    try:
        async with asyncio.timeout(timeout_seconds), consumer(kafka, timeout_seconds, group) as source:
            source.assign([wanted])
            begin = (await source.beginning_offsets([wanted]))[wanted]
            begin = max(begin, (await source.committed(wanted) or 0) if first is None else first)
            if begin >= end:
                return False
            source.seek(wanted, begin)
            found = await source.getone(wanted)
    except (TimeoutError, KafkaError) as error:
        raise KafkaUnavailableError(f"{partition[0]} was not read: {type(error).__name__}") from error
    return bool(found.offset < end)


async def ends_of(
    source: AIOKafkaConsumer, timeout_seconds: float, partitions: Iterable[tuple[str, int]]
) -> Mapping[tuple[str, int], tuple[int, int]]:
    """Find the first offset that is kept and the one after the last, for each partition of a topic.

    Raises `KafkaUnavailableError` past the limit.
    """
    wanted = [TopicPartition(*partition) for partition in partitions]
    try:
        async with asyncio.timeout(timeout_seconds):
            begins, ends = await source.beginning_offsets(wanted), await source.end_offsets(wanted)
    except (TimeoutError, KafkaError) as error:
        raise KafkaUnavailableError(f"the ends of the topics were not read within {timeout_seconds:g} s") from error
    return {(partition.topic, partition.partition): (begins[partition], ends[partition]) for partition in wanted}
