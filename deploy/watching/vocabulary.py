"""Which series there are: those of the code, those of the libraries, those of our own rules."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from prometheus_client import REGISTRY, Metric

import services.classifier.metrics
import services.ingest.metrics
import services.reporter.metrics
from deploy.watching.alerts import alerts
from deploy.watching.dashboards import DASHBOARDS
from deploy.watching.expressions import selectors
from deploy.watching.objectives import recordings
from deploy.watching.pace import PRODUCTION

_DECLARED: Final = (services.ingest.metrics, services.classifier.metrics, services.reporter.metrics)
OF_OTHERS: Final = frozenset(
    {
        "up",
        "ALERTS",
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    }
)
"""Of Prometheus itself, and of its client library."""
FOR_DEBUGGING: Final[Mapping[str, str]] = {
    "huestream_monitoring_connections_refused": "says why scrapes fail, when they do",
    "huestream_trace_spans_dropped": "says why traces have gaps, when they have",
}
"""Metrics on no dashboard and in no alert, each with what it is good for."""
_SUFFIXES: Final = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "info": ("_info",),
}


@cache
def metrics_of_code() -> Mapping[str, Metric]:
    """All metrics that our services declare, by name, without the suffixes of their kind."""
    return {metric.name: metric for metric in REGISTRY.collect() if metric.name.startswith("huestream_")}


@cache
def series_of_code() -> Mapping[str, str]:
    """The series that a scrape may hold, each with its metric."""
    return {
        f"{metric.name}{suffix}": metric.name
        for metric in metrics_of_code().values()
        for suffix in _SUFFIXES.get(metric.type, ("",))
    }


def series_of_rules() -> set[str]:
    """The series that the recording rules make."""
    return {recording.record for recording in recordings(PRODUCTION)}


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression with what it is of."""
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                yield f"{dashboard.title}: {panel.title}", query.expression
    for recording in recordings(PRODUCTION):
        yield recording.record, recording.expression
    for alert in alerts(PRODUCTION):
        yield alert.name, alert.expression


def used() -> dict[str, set[str]]:
    """The series that anything uses, each with what uses it."""
    found: dict[str, set[str]] = {}
    for user, expression in expressions():
        for selector in selectors(expression):
            found.setdefault(selector.name, set()).add(user)
    return found
