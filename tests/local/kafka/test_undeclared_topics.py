"""Of a real Kafka: only what is declared is there."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system

LIMIT_SECONDS = 30


async def test_a_topic_nobody_declared_is_not_created(kafka: RunningKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, request_timeout_ms=2_000)
    await producer.start()
    try:
        with pytest.raises(UnknownTopicOrPartitionError):
            await asyncio.wait_for(producer.send_and_wait("nobody-declared-this", b""), LIMIT_SECONDS)
    finally:
        await producer.stop()
