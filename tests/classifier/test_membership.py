"""Classifiers join and leave: what one leaves others take, nothing is lost, and a name of its own moves nothing."""

import asyncio
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.classifier.hostile_images import LOOPBACK
from tests.classifier.killing import lag
from tests.classifier.running import Results, Running, classifier, send, start, submitted
from tests.image_host import image_host
from tests.kafka_fixtures import RunningKafka
from tests.waiting import wait_for

pytestmark = pytest.mark.system

IMAGES = 400
ROUNDS = 2


def assignments(running: Running) -> list[int]:
    """How many partitions it was given each time."""
    return [line["count"] for line in running.log_lines() if line["event"] == "partitions_assigned"]


def ended(running: Running) -> int:
    running.process.send_signal(signal.SIGTERM)
    return running.process.wait(60)


async def _under_load(servers: str, folder: Path, events: list[dict[str, object]]) -> Results:
    """Send in parts; between them one joins, the older of two leaves, and so on."""
    found, members = Results.of(events), [start(servers, folder, **LOOPBACK)]
    reading = asyncio.create_task(found.read(servers, len(events), 300))
    try:
        for number in range(ROUNDS):
            await send(servers, events[number::ROUNDS], number)
            members.append(start(servers, folder, **LOOPBACK))
            await asyncio.to_thread(wait_for, lambda: assignments(members[-1]) or None, "assignment", 60)
            assert await asyncio.to_thread(ended, members[-2]) == 0
        await reading
    finally:
        statuses = [await asyncio.to_thread(ended, running) for running in members if running.process.poll() is None]
    assert statuses == [0]
    return found


def test_joining_and_leaving_under_load_lose_nothing(kafka: RunningKafka, tmp_path: Path) -> None:
    servers = kafka.bootstrap
    with image_host(delay_seconds=0.3) as host:  # a member has so many images in work when the next one joins
        events = submitted([f"{host.url}/{number}.jpg" for number in range(IMAGES)], "membership")
        found = asyncio.run(_under_load(servers, tmp_path, events))
        assert found.outcomes() == {"succeeded": IMAGES}
        assert found.dead_letters == 0
        assert asyncio.run(lag(servers)) == 0


def test_a_member_with_a_name_comes_back_to_its_partitions_and_the_others_notice_nothing(
    kafka: RunningKafka, tmp_path: Path
) -> None:
    servers = kafka.bootstrap
    with ExitStack() as stack:
        one = start(servers, tmp_path, **LOOPBACK, group_instance_id="one")
        stack.callback(one.process.kill)
        two = stack.enter_context(classifier(servers, tmp_path, **LOOPBACK, group_instance_id="two"))
        wait_for(lambda: assignments(one)[-1:] == assignments(two)[-1:] == [6] or None, "even assignment", 60)
        before = assignments(two)
        began = time.monotonic()
        assert ended(one) == 0
        again = stack.enter_context(classifier(servers, tmp_path, **LOOPBACK, group_instance_id="one"))
        away = time.monotonic() - began
        assert assignments(again) == [6]
        # A machine that takes longer than the session for a restart sees a rebalance, as it must.
        assert assignments(two) == before or away > 10
