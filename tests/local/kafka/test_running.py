"""The real Kafka: it starts, keeps what it acknowledged, and ends when it is told to."""

import asyncio
import subprocess
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.kafka_fixtures import running_kafka

pytestmark = pytest.mark.system

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


def ended(process: subprocess.Popen[bytes]) -> float:
    """Ask a broker to end; returns after how many seconds it had."""
    began = time.monotonic()
    process.terminate()
    process.wait(LIMIT_SECONDS)
    return time.monotonic() - began


def test_records_outlive_a_clean_end_a_kill_and_new_ports_in_a_folder_of_any_name(
    tmp_path: Path, kafka_jars: list[Path]
) -> None:
    folder = tmp_path / "Müller & Söhne #1 \\ 20%" / "kafka-1"
    folder.mkdir(parents=True)
    (folder / "cluster-id").write_text("-GLMgsdOSdChyomfwvZzOg")  # one in 64 begins like an option

    with running_kafka(folder, kafka_jars) as first:
        asyncio.run(create(first.bootstrap))
        asyncio.run(write(first.bootstrap, b"red"))
        assert ended(first.processes[0]) < 2
    with running_kafka(folder, kafka_jars) as second:
        asyncio.run(write(second.bootstrap, b"green"))
        second.processes[0].kill()
    with running_kafka(folder, kafka_jars) as third:
        assert asyncio.run(read(third.bootstrap, 2)) == [b"red", b"green"]

    assert len({run.bootstrap for run in (first, second, third)}) == 3
    assert (folder / "node-1" / "log" / f"{TOPIC}-0").is_dir()


def test_three_nodes_keep_what_they_acknowledged_when_one_is_killed(tmp_path: Path, kafka_jars: list[Path]) -> None:
    with running_kafka(tmp_path / "kafka-3", kafka_jars, brokers=3) as running:
        asyncio.run(create(running.bootstrap, replicas=3))
        asyncio.run(write(running.bootstrap, b"red"))
        running.processes[0].kill()
        asyncio.run(write(running.bootstrap, b"green"))
        assert asyncio.run(read(running.bootstrap, 2)) == [b"red", b"green"]
