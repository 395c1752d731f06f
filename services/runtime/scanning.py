"""Reading one key's records out of a topic, on demand, without having followed it."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from schemas.topics import Topic
from services.runtime.cluster import Kafka
from services.runtime.kafka import KafkaUnavailableError, Record, consumer

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
    partitions = list(range(topic.partitions))
    partition = TopicPartition(topic.name, DefaultPartitioner()(key, partitions, partitions))
    source.assign([partition])
    start = await source.offsets_for_times({partition: int((since - _CLOCK_SLACK).timestamp() * 1000)})
    end = (await source.end_offsets([partition]))[partition]
    if start[partition] is None:
        return []
    source.seek(partition, start[partition].offset)
    found: list[Record] = []
    while await source.position(partition) < end:
        for records in (await source.getmany(timeout_ms=_POLL_MS)).values():
            found += [Record(r.topic, r.partition, r.offset, r.key, r.value) for r in records if r.key == key]
    return found
