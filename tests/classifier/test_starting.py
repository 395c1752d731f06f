"""What the operator set wrong ends the start of a classifier: in one sentence, before anything is consumed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.classifier.running import prepare
from tests.kafka_fixtures import RunningKafka, running_kafka

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def empty_kafka(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    with running_kafka(tmp_path_factory.mktemp("empty"), kafka_jars) as kafka:
        yield kafka


def refusal(servers: str, *options: str, **settings: object) -> str:
    given = {"bootstrap_servers": servers, "topic_replicas": 1, "start_timeout_seconds": 20} | settings
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUESTREAM_")}
    environment |= {f"HUESTREAM_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "services", "classifier", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "partitions_assigned" not in done.stdout
    [sentence] = done.stderr.splitlines()
    return sentence


def test_topics_that_are_not_there_are_named(empty_kafka: RunningKafka) -> None:
    sentence = refusal(empty_kafka.bootstrap)
    assert "images.submitted.v1" in sentence
    assert "huestream topics create" in sentence


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"in_flight": -1}, "HUESTREAM_IN_FLIGHT: Input should be greater than or equal to 1"),
        ({"fetch_ports": "80,99999"}, "HUESTREAM_FETCH_PORTS: Input should be less than or equal to 65535"),
        ({"allow_networks": "10.0.0.0/8"}, "HUESTREAM_ALLOW_NETWORKS is for development"),
        ({"bootstrap_servers": "127.0.0.1:1", "start_timeout_seconds": 2}, "Kafka"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(settings: dict[str, object], said: str) -> None:
    assert said in refusal("127.0.0.1:1", **settings)


def test_several_processes_say_it_once(empty_kafka: RunningKafka) -> None:
    assert "HUESTREAM_IN_FLIGHT" in refusal(empty_kafka.bootstrap, "--processes", "2", in_flight=0)


def test_a_topic_with_too_few_replicas_is_named(kafka: RunningKafka) -> None:
    asyncio.run(prepare(kafka.bootstrap))
    assert "replica" in refusal(kafka.bootstrap, topic_replicas=3)
