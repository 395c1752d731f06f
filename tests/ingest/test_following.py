"""A follower begins with whole topics, or says which one is missing."""

import asyncio
import re

import pytest
from aiokafka import AIOKafkaConsumer

from schemas.topics import API_KEYS, Topic
from services.runtime.following import Follower
from services.runtime.kafka import KafkaUnavailableError, consumer
from services.runtime.logs import configure_logs
from tests.kafka_fixtures import RunningKafka
from tests.waiting import eventually

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


def asked(source: AIOKafkaConsumer) -> tuple[int, int]:
    """For how many bytes Kafka is to wait, and for how long at most, in milliseconds."""
    fetcher = source._fetcher  # noqa: SLF001
    return fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms  # noqa: SLF001


async def test_what_is_new_comes_at_once_after_a_silence_and_gathered_while_more_comes(
    kafka: RunningKafka, issued: dict[str, str]
) -> None:
    assert issued
    async with consumer(kafka.bootstrap, 15) as source:
        at_once = asked(source)
        follower = Follower(source, {API_KEYS: lambda *_: None}, configure_logs("test", "error"), gather_ms=40)
        await follower.catch_up(15)
        least_bytes, longest_ms = asked(source)
        assert (least_bytes > at_once[0], longest_ms) == (True, 40)
        following = asyncio.create_task(follower.follow())
        await eventually(lambda: asked(source) == at_once, "silence")
        following.cancel()
