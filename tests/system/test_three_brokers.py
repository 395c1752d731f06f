"""A system of three brokers that tells a collector of traces what it does.

Everything is replicated; one trace shows a batch from its submission to its mail; what was acknowledged outlives a
broker.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from schemas.topics import TOPICS
from tests.collector import Arrived, Collector, collector
from tests.commands import run_here
from tests.image_host import ImageHost
from tests.local.kafka.records import create, read, write
from tests.stack_fixtures import Stack, items, start_stack
from tests.system.scraping import scraped
from tests.waiting import wait_for

pytestmark = pytest.mark.system

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SIZE = 5


@pytest.fixture(scope="module")
def collecting() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.fixture(scope="module")
def three(collecting: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("three"), "--brokers", "3", "--traces", collecting.url)
    yield running
    running.kill()


def test_everything_is_replicated_three_times(three: Stack) -> None:
    assert len(three.pids("kafka")) == 3
    servers = three.ready()["bootstrap_servers"]
    check = ("topics", "check", "--bootstrap-servers", servers)
    done = run_here(*check)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"all {len(TOPICS)} topics are as declared")
    fewer = run_here(*check, "--replicas", "2")
    assert fewer.returncode == 1
    assert "images.submitted.v1: replicas is 3, declared is 2" in fewer.stdout


def test_the_whole_way_of_a_batch_arrives(three: Stack, collecting: Collector, host: ImageHost) -> None:
    answer = three.submit(items(host.url, SIZE), traceparent=f"00-{TRACE}-{CALLER}-01")
    inference_id = answer.body["inference_id"]
    three.wait_for_mail(inference_id)
    spans = wait_for(lambda: whole(collecting.trace(TRACE)), "whole trace", 30)
    by_id = {span.span: span for span in spans}

    def way(span: Arrived) -> str:
        steps = [span]
        while steps[-1].parent in by_id:
            steps.append(by_id[steps[-1].parent])
        assert steps[-1].parent == CALLER
        return " > ".join(f"{step.service.removeprefix('huestream-')} {step.name}" for step in reversed(steps))

    image = "ingest submit > ingest publish > classifier classify"
    report = "ingest submit > ingest publish > reporter report"
    assert Counter(way(span) for span in spans) == {
        "ingest submit": 1,
        "ingest submit > ingest publish": 1,
        image: SIZE,
        f"{image} > classifier fetch": SIZE,
        f"{image} > classifier decode": SIZE,
        f"{image} > classifier publish": SIZE,
        f"{image} > classifier publish > reporter collect": SIZE,
        report: 1,
        f"{report} > reporter store": 1,
        f"{report} > reporter mail": 1,
    }
    told = " ".join(str(span.attributes) for span in spans)
    assert inference_id in told
    assert host.url not in told
    assert three.ready()["api_key"] not in told
    assert not any(span.failed for span in spans)


def whole(spans: list[Arrived]) -> list[Arrived] | None:
    return spans if len(spans) >= 2 + 5 * SIZE + 3 else None


def test_the_mails_time_leads_to_its_trace(three: Stack) -> None:
    text = scraped(three, "reporter", "application/openmetrics-text")
    [line] = [line for line in text.splitlines() if TRACE in line]
    assert line.startswith("huestream_stage_seconds_bucket{")
    assert 'stage="mailed"' in line


async def test_three_nodes_keep_what_they_acknowledged_when_one_is_killed(three: Stack) -> None:
    servers = three.ready()["bootstrap_servers"]
    await create(servers, replicas=3)
    await write(servers, b"red")
    os.kill(three.pids("kafka")[0], signal.SIGKILL)
    await write(servers, b"green")
    assert await read(servers, 2) == [b"red", b"green"]
