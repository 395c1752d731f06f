"""A reporter that runs on: dropped links, records that are not ours, deadlines, a second one beside it; and checks."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from schemas.topics import IMAGES_CLASSIFIED
from services.runtime.partitioning import partition_of
from services.runtime.scanning import has_records
from tests.commands import variables
from tests.kafka_fixtures import RunningKafka
from tests.reporter.examples import OTHER_FINGERPRINT
from tests.reporter.smtp_sink import answering
from tests.reporter.world import Reporter, World, lines_of, new_batch, results_of, world_around
from tests.waiting import wait_for

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def world(reporters_kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_around(reporters_kafka, tmp_path_factory.mktemp("reporter")) as world:
        yield world


@pytest.fixture(scope="module")
def reporter(world: World) -> Iterator[Reporter]:
    started = world.start()
    started.wait_until_ready()
    yield started
    assert started.stop() == 0


def test_a_server_that_drops_the_link_after_the_final_dot_has_each_mail_once_when_it_is_back(
    world: World, reporter: Reporter
) -> None:
    world.sink.say = answering({"data": None})
    before = world.sink.steps["data"]
    names = world.submit(20, 2)
    wait_for(lambda: world.sink.steps["data"] > before + 2 or None, "dropped links")
    world.sink.say = answering({})
    world.wait_until_finished(names)
    ids = world.sink.ids()
    assert {name: ids[name] for name in names} == dict.fromkeys(names, 1)
    assert world.sink.steps["data"] - before < 20 + 10  # one trial at a time, not all twenty
    assert reporter.metric('huestream_reporter_mails_total{outcome="ambiguous"}') >= 2


def test_what_is_not_a_result_of_a_batch_stops_nothing(world: World, reporter: Reporter) -> None:
    made = new_batch(3)
    good = results_of(made)
    unknown = good[0].model_copy(update={"inference_id": str(uuid.uuid4())})
    beyond = good[0].model_copy(update={"index": 200})
    other_body = good[1].model_copy(update={"fingerprint": OTHER_FINGERPRINT})
    contradicting = made.model_copy(update={"size": 5})
    world.publish(made)
    wait_for(lambda: reporter.metric("huestream_reporter_open_batches") == 1 or None, "open batch")
    world.publish(contradicting, unknown, beyond, other_body, *good)
    world.wait_until_finished([made.inference_id])
    [content] = world.sink.contents(made.inference_id)
    assert len(lines_of(content)) == 3
    world.publish(*good, made, contradicting)  # after its end
    reasons = [record.topic for record in world.dead_letters(made.inference_id)]
    assert len(reasons) == 2  # the index, and the size
    wait_for(lambda: reporter.metric('huestream_reporter_results_total{outcome="late"}') >= 3 or None, "late results")
    assert len(world.sink.contents(made.inference_id)) == 1


def test_a_batch_ends_at_its_deadline_with_what_is_there(world: World, reporter: Reporter) -> None:
    made = new_batch(3, timedelta(seconds=3))
    world.publish(made, results_of(made)[0])
    status = world.wait_until_finished([made.inference_id])[made.inference_id]
    assert (status.succeeded, status.failed, status.reason) == (1, 2, "deadline")
    [content] = world.sink.contents(made.inference_id)
    assert [line["error_code"] for line in lines_of(content)] == ["", "timed_out", "timed_out"]
    assert reporter.is_ready()


def test_a_second_reporter_in_the_same_folder_is_refused_in_one_sentence(world: World, reporter: Reporter) -> None:
    second = world.start()
    assert second.process.wait(30) == 1
    assert "another reporter uses" in second.log.read_text()
    assert reporter.is_ready()


def check(world: World, **settings: object) -> tuple[int, str]:
    given = {
        "bootstrap_servers": world.bootstrap,
        "topic_replicas": 1,
        "environment": "development",
        "report_store": world.folder / "reports",
        "smtp_port": world.smtp_port,
        "smtp_tls": "none",
        "start_timeout_seconds": 2,
    } | settings
    environment = os.environ | variables(given)
    command = [sys.executable, "-m", "services", "reporter", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    return done.returncode, done.stdout


def test_a_check_says_what_is_there_and_what_is_not(world: World) -> None:
    world.sink.say = answering({})
    status, said = check(world)
    assert status == 0, said
    assert [line.split()[0] for line in said.splitlines()] == ["ok"] * 3
    world.sink.say = answering({"mail": "550 not you"})
    status, said = check(world, bootstrap_servers="127.0.0.1:1")
    assert status == 1
    assert [line.split()[0] for line in said.splitlines()] == ["FAILED", "ok", "FAILED"]
    assert "550" in said


def test_records_between_two_offsets_are_found(world: World) -> None:
    made = new_batch(5)
    world.publish(*results_of(made))
    partition = (IMAGES_CLASSIFIED.name, partition_of(made.inference_id.encode(), IMAGES_CLASSIFIED.partitions))
    last = max(record.offset for record in world.records(IMAGES_CLASSIFIED) if record.key == made.inference_id.encode())
    look = partial(has_records, world.bootstrap, "nobody", 20, partition)
    assert [asyncio.run(look(first, end)) for first, end in ((last - 1, last), (last, last), (None, last))] == [
        True,
        False,
        True,
    ]
