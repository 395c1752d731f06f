"""How far a batch is stands in its topic at most once a second, and the last word always."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from schemas.events import Event, InferenceStatus
from schemas.topics import INFERENCES_STATUS, Topic
from services.reporter.collecting import Collector, Surroundings
from services.reporter.gathering import Gathering, Tables
from services.reporter.telling import Teller
from services.runtime.kafka import KafkaUnavailableError, Publisher
from services.runtime.logs import configure_logs
from tests.reporter.examples import INFERENCE_ID, NOW, batch, result

LOG = configure_logs("test", "critical")
SIZE = 200


class Log:
    """Stands where Kafka is; while it is away nothing is written."""

    def __init__(self) -> None:
        self.statuses: list[InferenceStatus] = []
        self.is_away = False

    async def publish(self, topic: Topic, events: Sequence[Event]) -> None:
        assert topic is INFERENCES_STATUS
        if self.is_away:
            raise KafkaUnavailableError("away")
        self.statuses += [event for event in events if isinstance(event, InferenceStatus)]


class Seconds:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self._begin = asyncio.Event()
        self._is_waiting = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        self.lengths.append(seconds)
        self._is_waiting.set()
        await self._begin.wait()
        self._begin.clear()

    async def pass_one(self) -> None:
        """Let one second pass, and wait until all that it brings is done."""
        await self._is_waiting.wait()
        self._is_waiting.clear()
        self._begin.set()
        await self._is_waiting.wait()


class Play:
    """A collector, and the teller that tells of it."""

    def __init__(self) -> None:
        self.log, self.seconds = Log(), Seconds()
        self.gathering = Gathering(Tables(rows={}, head={}, sent={}))
        self.collector = Collector(self.gathering, Surroundings(self._nowhere), LOG)
        self.teller = Teller(cast("Publisher", self.log), lambda: NOW, LOG, self.seconds.pause)

    async def _nowhere(self, _: object) -> None:
        return

    async def add(self, indexes: Sequence[int]) -> None:
        for index in indexes:
            await self.collector.add(result(index), NOW)


@pytest.fixture
async def play() -> Play:
    return Play()


async def test_many_results_in_a_second_are_one_status(play: Play) -> None:
    telling = asyncio.create_task(play.teller.tell_changes(play.collector))
    await play.collector.open(batch(SIZE), NOW)
    for second in range(4):
        await play.add(range(second * 40, second * 40 + 40))
        await play.seconds.pass_one()
        assert len(play.log.statuses) == second + 1
    await play.seconds.pass_one()
    telling.cancel()
    assert [status.succeeded + status.failed for status in play.log.statuses] == [40, 80, 120, 160]
    assert set(play.seconds.lengths) == {1.0}


async def test_the_last_status_is_told_though_nothing_else_changes(play: Play) -> None:
    telling = asyncio.create_task(play.teller.tell_changes(play.collector))
    await play.collector.open(batch(2), NOW)
    await play.add([0, 1])
    await play.seconds.pass_one()
    telling.cancel()
    [status] = play.log.statuses
    assert (status.state, status.succeeded) == ("completed", 2)


async def test_what_kafka_did_not_take_is_told_when_it_is_back(play: Play) -> None:
    telling = asyncio.create_task(play.teller.tell_changes(play.collector))
    await play.collector.open(batch(2), NOW)
    await play.add([0])
    play.log.is_away = True
    await play.seconds.pass_one()
    assert play.log.statuses == []
    play.log.is_away = False
    await play.seconds.pass_one()
    telling.cancel()
    assert [(status.inference_id, status.succeeded) for status in play.log.statuses] == [(INFERENCE_ID, 1)]
