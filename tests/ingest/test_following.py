"""A follower begins with whole topics, or says which one is missing."""

import re

import pytest

from schemas.topics import API_KEYS, Topic
from services.runtime.following import Follower
from services.runtime.kafka import KafkaUnavailableError, consumer
from services.runtime.logs import configure_logs
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system

MISSING = Topic("no-such-topic.v1", API_KEYS.carries, str, (), ())


async def test_a_topic_that_is_missing_is_named(kafka: RunningKafka, issued: dict[str, str]) -> None:
    assert issued
    seen: list[bytes | None] = []
    log = configure_logs("test", "error")
    async with consumer(kafka.bootstrap, 15) as source:
        await Follower(source, {API_KEYS: lambda record, _: seen.append(record.key)}, log).catch_up(15)
        assert len(seen) >= len(issued)
    async with consumer(kafka.bootstrap, 15) as source:
        sentence = re.escape("Kafka has no topic no-such-topic.v1; create it with: huestream topics create")
        with pytest.raises(KafkaUnavailableError, match=sentence):
            await Follower(source, {API_KEYS: lambda *_: None, MISSING: lambda *_: None}, log).catch_up(15)
