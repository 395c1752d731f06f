"""Every example of the topics' description goes over a real Kafka, as a producer would send it, and is read there."""

import asyncio
import json

from aiokafka import AIOKafkaProducer

from schemas.topics import TOPICS, Topic
from services.ingest.pages.asyncapi import channel_id, document
from services.runtime.kafka import Record
from services.runtime.partitioning import partition_of
from services.runtime.scanning import fold_all
from services.runtime.topic_admin import topic_admin
from tests.kafka_fixtures import RunningKafka

SECONDS = 60
DESCRIBED = {topic: topic.carries for topic in TOPICS if topic.carries}


def example_of(topic: Topic) -> tuple[bytes, bytes]:
    """The key and the value of the example, as the published document shows it."""
    described = document()
    [message] = described["channels"][channel_id(topic)]["messages"]
    [example] = described["components"]["messages"][message]["examples"]
    value = json.dumps(example["payload"]).encode()
    return topic.key(DESCRIBED[topic].decode(value)).encode(), value


async def sent_and_read(bootstrap: str) -> dict[str, Record]:
    """Send each example with a client that knows nothing of huestream, and read it as the services do.

    What others wrote to the same topics is passed over.
    """
    examples, found = {topic.name: example_of(topic) for topic in DESCRIBED}, dict[str, Record]()

    def keep(record: Record) -> None:
        if (record.key, record.value) == examples[record.topic]:
            found[record.topic] = record

    async with topic_admin(bootstrap) as admin:
        await admin.create(TOPICS, 1)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for name, (key, value) in examples.items():
            await producer.send_and_wait(name, value, key=key)
    for topic in DESCRIBED:
        await fold_all(bootstrap, topic, range(topic.partitions), keep, SECONDS)
    return found


def test_every_example_of_a_topic_is_sent_and_read(kafka: RunningKafka) -> None:
    found = asyncio.run(sent_and_read(kafka.bootstrap))
    assert set(found) == {topic.name for topic in DESCRIBED}
    for topic, event_type in DESCRIBED.items():
        record = found[topic.name]
        assert record.partition == partition_of(record.key or b"", topic.partitions)
        assert topic.key(event_type.decode(record.value)).encode() == record.key
