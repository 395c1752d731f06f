"""Records of one topic, written and read with a client that knows nothing of huestream."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

LIMIT_SECONDS = 30
TOPIC = "colors"


async def create(bootstrap: str, replicas: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        created = await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=replicas)])
        assert [error[1] for error in created.topic_errors] == [0]
    finally:
        await admin.close()


async def write(bootstrap: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            await asyncio.wait_for(producer.send_and_wait(TOPIC, value), LIMIT_SECONDS)
    finally:
        await producer.stop()


async def read(bootstrap: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(TOPIC, 0)])
        return [(await asyncio.wait_for(consumer.getone(), LIMIT_SECONDS)).value for _ in range(count)]
    finally:
        await consumer.stop()
