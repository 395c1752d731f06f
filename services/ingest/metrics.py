"""What ingest counts and times."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

from schemas.topics import (
    API_KEYS,
    BATCHES_SUBMITTED,
    CANCELLATIONS_REQUESTED,
    CLASSIFIER_GROUP,
    GATHERING_GROUP,
    IMAGES_CLASSIFIED,
    IMAGES_SUBMITTED,
    INFERENCES_STATUS,
    PRODUCTS_SUBMITTED,
    REPORTER_APP,
    WEBHOOKS_STATUS,
)
from services.ingest.rate_limits import BudgetName
from services.ingest.validation import Reason
from services.runtime.group_lag import GroupReading
from services.runtime.metrics import RECORDS, SECONDS, STAGE_SECONDS

Route = Literal["submit", "status", "results", "events", "cancel", "list", "view", "pages", "none"]
"""What was asked for; `none` where nothing of ours was, or it was no HTTP."""
STATUSES: Final = frozenset(
    {200, 202, 204, 206, 303, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415, 416, 417, 422, 429, 500, 503}
)
OTHER: Final = "other"
REQUESTS: Final = Counter("huestream_ingest_requests_total", "HTTP requests answered", ["route", "status"])
REQUEST_SECONDS: Final = Histogram(
    "huestream_ingest_request_seconds", "Time until a reply began", ["route"], buckets=SECONDS
)
INVALID: Final = Counter(
    "huestream_ingest_validation_errors_total",
    "Bodies refused, by their first violation: of the body as such, or the member that is missing or invalid",
    ["reason"],
)
LIMITED: Final = Counter("huestream_ingest_limited_total", "Requests refused for a budget that was spent", ["budget"])
IMAGES: Final = Counter("huestream_ingest_images_total", "Images accepted")
BATCHES: Final = Counter("huestream_ingest_batches_total", "Batches accepted")
PRODUCTS: Final = Counter("huestream_ingest_products_total", "Single products, by what became of them", ["outcome"])
PUBLISH_SECONDS: Final = Histogram(
    "huestream_ingest_publish_seconds", "Time until Kafka acknowledged a batch", buckets=SECONDS
)
PUBLISH_FAILURES: Final = Counter(
    "huestream_ingest_publish_failures_total", "Batches that Kafka did not acknowledge in time"
)
CONNECTIONS: Final = Gauge("huestream_ingest_connections", "Open connections")
CONNECTIONS_REFUSED: Final = Counter("huestream_ingest_connections_refused_total", "Connections over the limit")
INFERENCES: Final = Gauge("huestream_ingest_inferences", "Inferences that this replica knows")
STREAMS: Final = Gauge("huestream_ingest_event_streams", "Open event streams")

GROUP_LAG_RECORDS: Final = Gauge(
    "huestream_group_lag_records",
    "Records that a consumer group has not committed, seen from outside: also while none of its members runs",
    ["group", "topic"],
)
GROUP_LAG_SECONDS: Final = Gauge(
    "huestream_group_lag_seconds",
    "Age of the oldest record that a consumer group has not committed, seen from outside, to a tenth",
    ["group", "topic"],
)
GROUP_MEMBERS: Final = Gauge("huestream_group_members", "Members of a consumer group, seen from outside", ["group"])
GROUP_LAG_MEASURED: Final = Gauge(
    "huestream_group_lag_last_success_timestamp_seconds", "When lag and members were last seen from outside", ["group"]
)

_STATUS_NAMES: Final[Mapping[int, str]] = {status: str(status) for status in STATUSES}
ACCEPTED: Final = STAGE_SECONDS.labels("accepted")


def status_name(status: int) -> str:
    """Name a status for a label: one of the closed set.

    >>> status_name(503), status_name(799)
    ('503', 'other')
    """
    return _STATUS_NAMES.get(status, OTHER)


WATCHED: Final = {
    CLASSIFIER_GROUP: (IMAGES_SUBMITTED,),
    REPORTER_APP: (BATCHES_SUBMITTED, IMAGES_CLASSIFIED),
}
"""Of each group that is watched from outside, the topics in which customers' work waits."""
WATCHED_WHERE_GATHERED: Final = {GATHERING_GROUP: (PRODUCTS_SUBMITTED,)}
"""The same of single products; where they are left alone, nothing waits."""


def measure_group(group: str, found: GroupReading) -> None:
    """Note how far behind a group is."""
    GROUP_MEMBERS.labels(group).set(found.members)
    for topic, lag in found.lags.items():
        GROUP_LAG_RECORDS.labels(group, topic).set(lag.records)
        GROUP_LAG_SECONDS.labels(group, topic).set(lag.seconds)
    GROUP_LAG_MEASURED.labels(group).set_to_current_time()


for name in (*_STATUS_NAMES.values(), OTHER):
    REQUESTS.labels("submit", name)
for route in get_args(Route):
    REQUEST_SECONDS.labels(route)
for reason in get_args(Reason):
    INVALID.labels(reason)
for outcome in ("gathered", "known", "refused"):
    PRODUCTS.labels(outcome)
for budget in (*get_args(BudgetName), "streams"):
    LIMITED.labels(budget)
for topic in (BATCHES_SUBMITTED, CANCELLATIONS_REQUESTED, INFERENCES_STATUS, WEBHOOKS_STATUS, API_KEYS):
    RECORDS.labels(topic.name)
