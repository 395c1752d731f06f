"""What the operator set wrong ends the start of a classifier: in one sentence, before anything is consumed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import IMAGES_SUBMITTED
from services.__main__ import main
from services.runtime.environment import environment_with
from tests.classifier.running import prepare
from tests.commands import variables
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system


def settings_of(servers: str, **settings: object) -> dict[str, str]:
    given = {"bootstrap_servers": servers, "topic_replicas": 1, "start_timeout_seconds": 20} | settings
    return variables(given)


def refusal(servers: str, *options: str, **settings: object) -> str:
    environment = environment_with(settings_of(servers, **settings))
    command = [sys.executable, "-m", "services", "classifier", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "partitions_assigned" not in done.stdout
    [sentence] = done.stderr.splitlines()
    return sentence


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Starts a classifier in this process, as its command does, where it ends before it has begun anything."""

    def refusal_here(*options: str, **settings: object) -> str:
        for name in [name for name in os.environ if name.startswith("HUESTREAM_")]:
            monkeypatch.delenv(name)
        for name, value in settings_of("127.0.0.1:1", **settings).items():
            monkeypatch.setenv(name, value)
        assert main(["classifier", *options]) == 1
        said = capfd.readouterr()
        assert said.out == ""
        [sentence] = said.err.splitlines()
        return sentence

    return refusal_here


async def delete(servers: str, topic: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    await client.start()
    try:
        await client.delete_topics([topic])
    finally:
        await client.close()


def test_topics_that_are_not_there_are_named(kafka: RunningKafka) -> None:
    asyncio.run(delete(kafka.bootstrap, IMAGES_SUBMITTED.name))
    sentence = refusal(kafka.bootstrap)
    asyncio.run(prepare(kafka.bootstrap))
    assert "images.submitted.v1" in sentence
    assert "huestream topics create" in sentence


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"in_flight": -1}, "HUESTREAM_IN_FLIGHT: Input should be greater than or equal to 1"),
        ({"fetch_ports": "80,99999"}, "HUESTREAM_FETCH_PORTS: Input should be less than or equal to 65535"),
        ({"allow_networks": "10.0.0.0/8"}, "HUESTREAM_ALLOW_NETWORKS is for development"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(
    refused: Callable[..., str], settings: dict[str, object], said: str
) -> None:
    assert said in refused(**settings)


def test_a_kafka_that_does_not_answer_is_named() -> None:
    assert "Kafka" in refusal("127.0.0.1:1", start_timeout_seconds=2)


def test_several_processes_say_it_once(refused: Callable[..., str]) -> None:
    assert "HUESTREAM_IN_FLIGHT" in refused("--processes", "2", in_flight=0)


def test_a_topic_with_too_few_replicas_is_named(kafka: RunningKafka) -> None:
    assert "replica" in refusal(kafka.bootstrap, topic_replicas=3)
