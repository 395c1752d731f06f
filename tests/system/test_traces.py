"""One trace shows a batch from its submission to its mail."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.collector import Arrived, Collector, collector
from tests.image_host import ImageHost
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
def traced(collecting: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("traced"), "--traces", collecting.url)
    yield running
    running.kill()


def test_the_whole_way_of_a_batch_arrives(traced: Stack, collecting: Collector, host: ImageHost) -> None:
    answer = traced.submit(items(host.url, SIZE), traceparent=f"00-{TRACE}-{CALLER}-01")
    inference_id = answer.body["inference_id"]
    traced.wait_for_mail(inference_id)
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
    assert traced.ready()["api_key"] not in told
    assert not any(span.failed for span in spans)


def whole(spans: list[Arrived]) -> list[Arrived] | None:
    return spans if len(spans) >= 2 + 5 * SIZE + 3 else None


def test_the_mails_time_leads_to_its_trace(traced: Stack) -> None:
    text = scraped(traced, "reporter", "application/openmetrics-text")
    [line] = [line for line in text.splitlines() if TRACE in line]
    assert line.startswith("huestream_stage_seconds_bucket{")
    assert 'stage="mailed"' in line
