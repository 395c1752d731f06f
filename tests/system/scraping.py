"""The metrics of a running system, as Prometheus would read them."""

import urllib.request

from prometheus_client.parser import text_string_to_metric_families as plain_text

from tests.stack_fixtures import Stack


def scraped(stack: Stack, service: str, accept: str = "text/plain") -> str:
    request = urllib.request.Request(stack.ready()["metrics"][service], headers={"Accept": accept})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
        text: str = reply.read().decode()
    return text


def value(stack: Stack, service: str, name: str, **labels: str) -> float | None:
    """The sum of a metric's samples that have these labels."""
    found = [
        sample.value
        for family in plain_text(scraped(stack, service))
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found) if found else None
