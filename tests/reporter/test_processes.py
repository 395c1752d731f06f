"""Reporters as processes: a mail server that goes and comes back, records that are not ours, warm copies, ends."""

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from schemas.topics import IMAGES_CLASSIFIED
from services.runtime.partitioning import partition_of
from services.runtime.scanning import has_records
from tests.kafka_fixtures import running_kafka
from tests.reporter.examples import OTHER_FINGERPRINT
from tests.reporter.smtp_sink import Sink, answering, sink_in_a_thread
from tests.reporter.world import Reporter, World, lines_of, new_batch, results_of, world_around
from tests.waiting import wait_for

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def world(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("reporters")
    with running_kafka(folder / "kafka", kafka_jars) as kafka, world_around(kafka, folder) as world:
        yield world


@pytest.fixture(autouse=True)
def _nothing_runs_on(world: World) -> Iterator[None]:
    yield
    world.end()


@pytest.fixture
def reporter(world: World) -> Iterator[Reporter]:
    world.sink.say = answering({})
    started = world.start()
    started.wait_until_ready()
    yield started
    assert started.stop() == 0


def submit(world: World, count: int, size: int) -> list[str]:
    batches = [new_batch(size) for _ in range(count)]
    world.publish(*(event for made in batches for event in (made, *results_of(made))))
    return [made.inference_id for made in batches]


def test_fifty_batches_wait_for_the_mail_server_and_go_once_it_is_back(world: World) -> None:
    away = Sink()
    with sink_in_a_thread(away) as port:
        pass
    reporter = world.start(smtp_port=port)
    reporter.wait_until_ready()
    waiting = submit(world, 50, 4)
    unmailed = "huestream_reporter_unmailed_batches"
    wait_for(lambda: reporter.metric(unmailed) == 50 or None, "50 batches that wait")
    assert reporter.metric('huestream_reporter_batches_total{reason="complete"}') == 50  # nothing waited for mail
    reports = [world.folder / "reports" / name / "report.json" for name in waiting]
    wait_for(lambda: all(report.exists() for report in reports), "report of each batch")
    assert away.mails == []
    with sink_in_a_thread(away, port):
        began = time.monotonic()
        wait_for(lambda: len(away.mails) >= 50 or None, "50 mails", 60)
        assert time.monotonic() - began < 60
        world.wait_until_finished(waiting)
        assert away.ids() == dict.fromkeys(waiting, 1)
        assert away.steps["ehlo"] < 10  # connections were used again
        assert reporter.stop() == 0


def test_a_server_that_drops_the_link_after_the_final_dot_has_each_mail_once_when_it_is_back(
    world: World, reporter: Reporter
) -> None:
    world.sink.say = answering({"data": None})
    before = world.sink.steps["data"]
    names = submit(world, 20, 2)
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


def test_results_that_lay_in_the_log_while_no_reporter_ran_count_though_the_deadline_has_passed(world: World) -> None:
    made = new_batch(200, timedelta(seconds=1))
    world.publish(made, *results_of(made))
    time.sleep(1.5)  # the deadline itself is what is waited for
    reporter = world.start()
    status = world.wait_until_finished([made.inference_id])[made.inference_id]
    assert (status.reason, status.pending) == ("complete", 0)
    assert reporter.stop() == 0


def test_a_warm_copy_takes_over(world: World) -> None:
    world.sink.say = answering({})
    settings = {"state_store": "rocksdb://", "standby_replicas": 1}
    first, second = (world.start(name, **settings) for name in ("warm-one", "warm-two"))
    for reporter in (first, second):
        reporter.wait_until_ready()
    made = [new_batch(30) for _ in range(6)]
    for batch in made:
        world.publish(batch, *results_of(batch)[:20])
    wait_for(lambda: first.metric(OPEN) + second.metric(OPEN) == 6 or None, "open batches")
    first.kill()
    for batch in made:
        world.publish(*results_of(batch)[20:])
    world.wait_until_finished([batch.inference_id for batch in made])
    for batch in made:
        [content] = world.sink.contents(batch.inference_id)
        assert {line["error_code"] for line in lines_of(content)} <= {"", "fetch_timeout"}
    assert second.stop() == 0


OPEN = "huestream_reporter_open_batches"


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
    environment = os.environ | {f"HUESTREAM_{name.upper()}": str(value) for name, value in given.items()}
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
