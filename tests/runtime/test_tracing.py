import socket
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from services.runtime.logs import configure_logs
from services.runtime.open_telemetry import QUEUE_SPANS, exporting
from services.runtime.settings import ServiceSettings
from services.runtime.trace_context import headers_of, is_sampled, traceparent_of, valid
from services.runtime.tracing import Untraced, tracing
from tests.collector import Collector, collector
from tests.waiting import wait_for

THEIRS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LOG = configure_logs("test", "error")


@pytest.fixture
def collecting() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.fixture(params=["nobody listens", "nobody answers"])
def nowhere(request: pytest.FixtureRequest) -> Iterator[str]:
    """A collector that is away."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        if request.param == "nobody listens":
            server.close()
        yield url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-0-0-01",
        THEIRS.upper(),
        THEIRS.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        THEIRS.replace("00f067aa0ba902b7", "0" * 16),
        f"{THEIRS}-more",
        f"{THEIRS}\n",
        "ff" + THEIRS[2:],
    ],
)
def test_what_is_no_trace_context_is_as_if_it_were_not_there(text: str) -> None:
    assert valid(text) is None
    assert traceparent_of([("traceparent", text.encode())]) is None
    assert traceparent_of([("traceparent", None)]) is None


def test_a_trace_context_survives_the_headers_of_a_record() -> None:
    assert traceparent_of([("other", b"x"), *headers_of(THEIRS)]) == THEIRS
    assert headers_of(None) == []


def test_without_a_collector_a_context_is_handed_on_and_nothing_else() -> None:
    with tracing("test", ServiceSettings(), LOG) as tracer:
        assert isinstance(tracer, Untraced)
        with tracer.begin("submit", THEIRS) as span, tracer.span("publish", span.traceparent) as inner:
            assert inner.traceparent == THEIRS
        with tracer.begin("submit", None) as span, tracer.span("publish", span.traceparent) as inner:
            assert inner.traceparent is None


def test_a_step_is_part_of_the_trace_that_it_belongs_to(collecting: Collector) -> None:
    with (
        exporting("test", collecting.url, 1, LOG) as tracer,
        tracer.begin("submit", THEIRS) as span,
        tracer.span("publish", span.traceparent) as inner,
    ):
        inner.note(images=3)
    spans = {each.name: each for each in wait_for(lambda: collecting.spans or None, "spans", 10)}
    assert {each.trace for each in spans.values()} == {THEIRS.split("-")[1]}
    assert spans["submit"].parent == THEIRS.split("-")[2]
    assert spans["publish"].parent == spans["submit"].span
    assert spans["publish"].attributes == {"huestream.images": 3}
    assert spans["publish"].service == "huestream-test"


def test_what_a_failed_step_raised_is_not_quoted(collecting: Collector) -> None:
    with (
        exporting("test", collecting.url, 1, LOG) as tracer,
        pytest.raises(ValueError, match="secret"),
        tracer.begin("fetch", None),
    ):
        raise ValueError("https://host/?token=secret")
    [span] = wait_for(lambda: collecting.spans or None, "spans", 10)
    assert span.failed
    assert "secret" not in str(span)


def test_a_strangers_wish_to_be_recorded_does_not_count(collecting: Collector) -> None:
    with exporting("test", collecting.url, 0, LOG) as tracer:
        with tracer.begin("submit", THEIRS) as span, tracer.span("publish", span.traceparent) as inner:
            assert inner.traceparent is not None
            assert not is_sampled(inner.traceparent)
            assert inner.traceparent[:-2] == THEIRS[:-2]
        with tracer.begin("submit", None) as span:
            assert span.traceparent is None
    assert collecting.spans == []


def dropped() -> float:
    return REGISTRY.get_sample_value("huestream_trace_spans_dropped_total") or 0.0


def test_a_collector_that_is_away_costs_no_memory_and_no_wait(nowhere: str) -> None:
    before = dropped()
    with exporting("test", nowhere, 1, LOG) as tracer:
        for _ in range(2 * QUEUE_SPANS):  # the queue is full from here on
            with tracer.begin("submit", None):
                pass
        tracemalloc.start()
        for _ in range(2 * QUEUE_SPANS):
            with tracer.begin("submit", None):
                pass
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept < QUEUE_SPANS * 4_000  # what waits, and no more: each span takes less
        began = time.monotonic()
    assert time.monotonic() - began < 5  # the end does not wait for it either
    assert dropped() - before >= 2 * QUEUE_SPANS
