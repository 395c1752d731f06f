"""Rows of the overview about the HTTP endpoint."""

from typing import Final

from deploy.watching.panels import Panel, Query, Row, quantile, quantiles, rate, seen_rate

ENDPOINT: Final = Row(
    "The endpoint",
    (
        Panel(
            title="Requests, by status",
            description="Answers a second of all routes. 4xx are the callers' own; 5xx count against the objective.",
            unit="reqps",
            queries=(Query(seen_rate("huestream_ingest_requests_total", "status"), "{{status}}"),),
            kind="stacked",
            width=6,
        ),
        Panel(
            title="Time until a reply begins, p95 by route",
            description="A submission is answered when Kafka has it for good; reads come from memory.",
            unit="s",
            queries=(Query(f"{quantile(0.95, 'huestream_ingest_request_seconds', 'route')} >= 0", "{{route}}"),),
            width=6,
        ),
        Panel(
            title="Until Kafka has a batch",
            description="Time until Kafka acknowledged a batch, with all its images. Past 15 s the answer is 503.",
            unit="s",
            queries=quantiles("huestream_ingest_publish_seconds"),
            width=6,
        ),
        Panel(
            title="Refused submissions",
            description="Bodies with a first violation of this kind, requests over a budget of their key, "
            "connections over the limit.",
            unit="reqps",
            queries=(
                Query(seen_rate("huestream_ingest_validation_errors_total", "reason"), "{{reason}}"),
                Query(seen_rate("huestream_ingest_limited_total", "budget"), "over budget: {{budget}}"),
                Query(rate("huestream_ingest_connections_refused_total"), "connections over the limit"),
            ),
            kind="stacked",
            width=6,
            empty="nobody sent anything wrong",
        ),
        Panel(
            title="Batches accepted",
            description="Batches a second that Kafka has for good, and those that it did not acknowledge in time.",
            unit="ops",
            queries=(
                Query(rate("huestream_ingest_batches_total"), "accepted"),
                Query(rate("huestream_ingest_publish_failures_total"), "not acknowledged"),
            ),
            width=6,
        ),
        Panel(
            title="Connections",
            description="Open connections and event streams of all replicas.",
            unit="short",
            queries=(
                Query("sum(huestream_ingest_connections)", "connections"),
                Query("sum(huestream_ingest_event_streams)", "event streams"),
            ),
            width=6,
        ),
        Panel(
            title="Inferences known",
            description="Batches that each replica holds in memory to answer status and lists; they leave with "
            "retention.",
            unit="short",
            queries=(Query("huestream_ingest_inferences", "{{instance}}"),),
            width=6,
        ),
        Panel(
            title="Single products, by what became of them",
            description="Products of producers that have no batches. gathered: part of a batch now; known: cut again "
            "after a restart; refused: dead letters.",
            unit="ops",
            queries=(Query(rate("huestream_ingest_products_total", "outcome"), "{{outcome}}"),),
            width=6,
        ),
    ),
)
