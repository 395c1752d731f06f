"""The one door to OpenTelemetry, an extra: spans that go to a collector, and are dropped where it is away.

What waits for the collector is bounded, and so is the wait for it at the end; a service never waits for it otherwise.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as RecordedSpan

from services.runtime.build import installed_version
from services.runtime.logs import Logger
from services.runtime.metrics import SPANS_DROPPED
from services.runtime.trace_context import is_sampled, unsampled
from services.runtime.tracing import Name, Span, Value, handed_on

QUEUE_SPANS: Final = 4096
_BATCH_SPANS: Final = 512
_EXPORT_SECONDS: Final = 5.0
_GOODBYE_SECONDS: Final = 2.0
_KINDS: Final = {
    "submit": SpanKind.SERVER,
    "gather": SpanKind.CONSUMER,
    "publish": SpanKind.PRODUCER,
    "classify": SpanKind.CONSUMER,
    "fetch": SpanKind.CLIENT,
    "collect": SpanKind.CONSUMER,
    "store": SpanKind.CLIENT,
    "mail": SpanKind.CLIENT,
}


@contextmanager
def exporting(service: str, endpoint: str, sampling: float, log: Logger) -> Iterator["Recording"]:
    """Send spans to a collector (OTLP over HTTP) until the block ends."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it warns of each span that it drops
    exporter = _Counted(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS), log)
    resource = Resource.create({SERVICE_NAME: f"huestream-{service}", SERVICE_VERSION: installed_version()})
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(_Bounded(exporter))
    try:
        yield Recording(provider, sampling)
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(_GOODBYE_SECONDS)


class _Bounded(BatchSpanProcessor):
    """Holds a bounded number of spans, the newest, and counts those that it drops."""

    def __init__(self, exporter: SpanExporter) -> None:
        super().__init__(exporter, max_queue_size=QUEUE_SPANS, max_export_batch_size=_BATCH_SPANS)

    def on_end(self, span: ReadableSpan) -> None:
        if len(self._batch_processor._queue) >= QUEUE_SPANS:  # noqa: SLF001  # it drops one, and tells nobody
            SPANS_DROPPED.inc()
        super().on_end(span)


class _Counted(SpanExporter):
    """Counts what the collector did not take, and says once that it is away, and once that it is back."""

    def __init__(self, exporter: SpanExporter, log: Logger) -> None:
        self._exporter = exporter
        self._log = log
        self._is_away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        is_away = result is not SpanExportResult.SUCCESS
        if is_away:
            SPANS_DROPPED.inc(len(spans))
        if is_away != self._is_away:
            self._log.warning("trace_collector_away" if is_away else "trace_collector_back")
        self._is_away = is_away
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class Recording:
    """Records the traces that we have chosen."""

    def __init__(self, provider: TracerProvider, sampling: float, chance: Callable[[], float] = random.random) -> None:
        self._tracer = provider.get_tracer("huestream")
        self._sampling = sampling
        self._chance = chance

    def begin(self, name: Name, traceparent: str | None) -> AbstractContextManager[Span]:
        """Begin a trace as often as was asked for; a stranger's wish that it be recorded does not count."""
        if self._chance() >= self._sampling:
            return handed_on(unsampled(traceparent) if traceparent else None)
        return self._recorded(name, traceparent)

    def span(self, name: Name, traceparent: str | None) -> AbstractContextManager[Span]:
        """Record a step of a trace that is recorded."""
        if traceparent is None or not is_sampled(traceparent):
            return handed_on(traceparent)
        return self._recorded(name, traceparent)

    @contextmanager
    def _recorded(self, name: Name, traceparent: str | None) -> Iterator[Span]:
        parent = _context_of(traceparent) if traceparent else None
        context = set_span_in_context(NonRecordingSpan(parent)) if parent else None
        span = self._tracer.start_span(name, context, _KINDS.get(name, SpanKind.INTERNAL))
        try:
            yield _Recorded(span)
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))  # its text may quote anything
            raise
        finally:
            span.end()


class _Recorded:
    """A step that is recorded."""

    def __init__(self, span: RecordedSpan) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent: str | None = f"00-{context.trace_id:032x}-{context.span_id:016x}-01"

    def note(self, **attributes: Value) -> None:
        """Say something of the step, under a name of ours."""
        for name, value in attributes.items():
            self._span.set_attribute(f"huestream.{name}", value)


def _context_of(traceparent: str) -> SpanContext:
    _, trace, span, _ = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
