"""Reporters as processes that come and go: while the mail server is away, while results come, with a warm copy."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.kafka_fixtures import RunningKafka
from tests.reporter.smtp_sink import Sink, answering, sink_in_a_thread
from tests.reporter.world import World, lines_of, new_batch, results_of, world_around
from tests.waiting import wait_for

pytestmark = pytest.mark.system
OPEN = "huestream_reporter_open_batches"


@pytest.fixture(scope="module")
def world(reporters_kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_around(reporters_kafka, tmp_path_factory.mktemp("reporters")) as world:
        yield world


@pytest.fixture(autouse=True)
def _nothing_runs_on(world: World) -> Iterator[None]:
    yield
    world.end()


def test_fifty_batches_wait_for_the_mail_server_and_go_once_it_is_back(world: World) -> None:
    away = Sink()
    with sink_in_a_thread(away) as port:
        pass
    reporter = world.start(smtp_port=port)
    reporter.wait_until_ready()
    waiting = world.submit(50, 4)
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
