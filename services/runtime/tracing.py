"""Traces: which step of which batch took how long. Off unless a collector is named; then handed on, and nothing more.

A trace context that comes with a request or a record goes with all that it leads to, whether anything is recorded or
not. Nothing is said of an image but its ids and its outcome: never a URL, a key, an address.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, Protocol

from services.runtime.logs import Logger
from services.runtime.settings import ServiceSettings, SettingsError
from services.runtime.trace_context import trace_id

Name = Literal["submit", "gather", "publish", "classify", "fetch", "decode", "collect", "report", "store", "mail"]
Value = str | int | float | bool


class Span(Protocol):
    """One step, while it goes on."""

    @property
    def traceparent(self) -> str | None:
        """The trace context to hand on to what it leads to; None where there is no trace."""

    def note(self, **attributes: Value) -> None:
        """Say something of the step."""


class Tracer(Protocol):
    """Records steps, or hands on their context."""

    def begin(self, name: Name, traceparent: str | None) -> AbstractContextManager[Span]:
        """Begin a trace, as part of a stranger's where there is one; whether it is recorded is ours to decide."""

    def span(self, name: Name, traceparent: str | None) -> AbstractContextManager[Span]:
        """Record a step of a trace, where there is one that is recorded."""


class Quiet:
    """A step that is not recorded."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    def note(self, **attributes: Value) -> None:
        """Say nothing."""


_NOWHERE = nullcontext(Quiet(None))


def handed_on(traceparent: str | None) -> AbstractContextManager[Span]:
    """Make a step of which only the context is handed on."""
    return _NOWHERE if traceparent is None else nullcontext(Quiet(traceparent))


class Untraced:
    """Records nothing."""

    def begin(self, name: Name, traceparent: str | None) -> AbstractContextManager[Span]:  # noqa: ARG002
        """Hand on."""
        return handed_on(traceparent)

    def span(self, name: Name, traceparent: str | None) -> AbstractContextManager[Span]:  # noqa: ARG002
        """Hand on."""
        return handed_on(traceparent)


@contextmanager
def tracing(service: str, settings: ServiceSettings, log: Logger) -> Iterator[Tracer]:
    """Trace until the block ends, where a collector is named; raises `SettingsError` where that is not installed."""
    if settings.otlp_endpoint is None:
        yield Untraced()
        return
    if importlib.util.find_spec("opentelemetry") is None:
        raise SettingsError("HUESTREAM_OTLP_ENDPOINT: OpenTelemetry is needed for it; install huestream[otel].")
    from services.runtime.open_telemetry import exporting  # noqa: PLC0415  # an extra

    with exporting(service, settings.otlp_endpoint, settings.trace_sampling, log) as tracer:
        yield tracer


def bound(log: Logger, traceparent: str | None) -> Logger:
    """Bind the trace's id to a log, where there is a trace."""
    return log if traceparent is None else log.bind(trace_id=trace_id(traceparent))
