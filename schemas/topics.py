"""Every topic, declared once: what it carries, how it is keyed and kept, who writes it and who reads it.

`huestream topics` creates them; the broker never does. Source: docs/architecture.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from schemas.events import (
    ApiKey,
    BatchSubmitted,
    CancellationRequested,
    ControlTick,
    Event,
    ImageClassified,
    ImageSubmitted,
    InferenceStatus,
    ProductSubmitted,
    ReportReady,
    WebhookStatus,
)

Service = Literal["ingest", "classifier", "reporter", "producers", "keys", "people"]

PARTITIONS: Final = 12
"""Of `images.submitted`, and of all topics that Faust partitions together."""
REPLICAS: Final = 3
MIN_INSYNC_REPLICAS: Final = 2
REPORTER_APP: Final = "huestream-reporter"
"""Faust's application id: the reporter's consumer group and the prefix of its changelogs."""
CLASSIFIER_GROUP: Final = "huestream-classifier"
WEBHOOKS_GROUP: Final = "huestream-webhooks"
GATHERING_GROUP: Final = "huestream-gathering"
GROUPS: Final[Mapping[Service, tuple[str, ...]]] = {
    "ingest": (GATHERING_GROUP,),
    "classifier": (CLASSIFIER_GROUP,),
    "reporter": (REPORTER_APP, WEBHOOKS_GROUP),
}
"""The consumer groups of each service; ingest has one for single products alone: all else every replica reads."""

WATCHED_GROUPS: Final[Mapping[Service, tuple[str, ...]]] = {"ingest": (CLASSIFIER_GROUP, REPORTER_APP)}
"""The groups whose lag a service measures from outside: it may ask about them, and no more."""

_DAY_MS: Final = 24 * 60 * 60 * 1000
_RETENTION_DAYS: Final = 7


@dataclass(frozen=True, eq=False)  # each is itself: two of one name would be a mistake
class Topic:
    """A topic as it should be; `carries` is None where the value is not one of our events."""

    name: str
    carries: type[Event] | None
    key: Callable[[Any], str]
    written_by: tuple[Service, ...]
    read_by: tuple[Service, ...]
    partitions: int = PARTITIONS
    compacted: bool = False
    retention_ms: int = _RETENTION_DAYS * _DAY_MS
    extra: Mapping[str, str] = field(default_factory=dict)

    def config(self, replicas: int = REPLICAS) -> dict[str, str]:
        """The broker's settings of this topic, as it names them, for a number of replicas."""
        cleanup = (
            {"cleanup.policy": "compact"}
            if self.compacted
            else {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}
        )
        return cleanup | {"min.insync.replicas": str(min(MIN_INSYNC_REPLICAS, replicas))} | dict(self.extra)


def _by_inference(
    event: BatchSubmitted
    | CancellationRequested
    | ImageClassified
    | ReportReady
    | ControlTick
    | InferenceStatus
    | WebhookStatus,
) -> str:
    return event.inference_id


PRODUCTS_SUBMITTED: Final = Topic(
    name="products.submitted.v1",
    carries=ProductSubmitted,
    key=lambda event: event.key_id,  # those of one key come into one partition, and so into few batches
    written_by=("producers", "ingest"),  # ingest tells the time, by records without a value
    read_by=("ingest",),
    extra={"message.timestamp.type": "LogAppendTime"},  # one clock for all producers
)
IMAGES_SUBMITTED: Final = Topic(
    name="images.submitted.v1",
    carries=ImageSubmitted,
    key=lambda event: f"{event.inference_id}/{event.index}",  # spreads one batch over all classifiers
    written_by=("ingest", "producers"),
    read_by=("classifier",),
)
BATCHES_SUBMITTED: Final = Topic(
    name="batches.submitted.v1",
    carries=BatchSubmitted,
    key=_by_inference,
    written_by=("ingest", "producers"),
    read_by=("reporter", "ingest"),
)
IMAGES_CLASSIFIED: Final = Topic(
    name="images.classified.v1",
    carries=ImageClassified,
    key=_by_inference,  # gathers one batch at one reporter
    written_by=("classifier",),
    read_by=("reporter", "ingest"),
)
REPORTS_READY: Final = Topic(
    name="reports.ready.v1",
    carries=ReportReady,
    key=_by_inference,
    written_by=("reporter",),
    read_by=("reporter",),
)
REPORTER_CONTROL: Final = Topic(
    name="reporter.control.v1",
    carries=ControlTick,
    key=_by_inference,
    written_by=("reporter",),
    read_by=("reporter",),
    retention_ms=_DAY_MS,
)
CANCELLATIONS_REQUESTED: Final = Topic(
    name="cancellations.requested.v1",
    carries=CancellationRequested,
    key=_by_inference,
    written_by=("ingest", "producers"),
    read_by=("reporter", "ingest", "classifier"),
)
INFERENCES_STATUS: Final = Topic(
    name="inferences.status.v1",
    carries=InferenceStatus,
    key=_by_inference,
    written_by=("reporter",),
    read_by=("ingest", "reporter"),
    compacted=True,
)
WEBHOOKS_STATUS: Final = Topic(
    name="webhooks.status.v1",
    carries=WebhookStatus,
    key=_by_inference,
    written_by=("reporter",),
    read_by=("reporter", "ingest"),
)
API_KEYS: Final = Topic(
    name="api-keys.v1",
    carries=ApiKey,
    key=lambda event: event.key_id,
    written_by=("keys",),
    read_by=("ingest", "reporter", "keys"),
    partitions=1,
    compacted=True,
)
DEAD_LETTERS: Final = Topic(
    name="dead-letters.v1",
    carries=None,  # the record as it was found; origin and reason stand in its headers
    key=str,  # the topic it came from
    written_by=("ingest", "classifier", "reporter"),
    read_by=("people",),
    partitions=1,
    retention_ms=30 * _DAY_MS,
    extra={"max.message.bytes": str(2 * 1024 * 1024)},
)


def _changelog(table: str) -> Topic:
    """Faust keeps each table in a compacted topic of its own name; declared here so that its replication is ours."""
    return Topic(
        name=f"{REPORTER_APP}-{table}-changelog",
        carries=None,
        key=str,
        written_by=("reporter",),
        read_by=("reporter",),
        compacted=True,
    )


REPORTER_TABLES: Final = ("rows", "head", "sent")
TOPICS: Final = (
    PRODUCTS_SUBMITTED,
    IMAGES_SUBMITTED,
    BATCHES_SUBMITTED,
    IMAGES_CLASSIFIED,
    REPORTS_READY,
    REPORTER_CONTROL,
    CANCELLATIONS_REQUESTED,
    INFERENCES_STATUS,
    WEBHOOKS_STATUS,
    API_KEYS,
    DEAD_LETTERS,
    *(_changelog(table) for table in REPORTER_TABLES),
)


def topics_of(user: Service) -> tuple[Topic, ...]:
    """List what a service writes or reads.

    >>> [topic.name for topic in topics_of("keys")]
    ['api-keys.v1']
    """
    return tuple(topic for topic in TOPICS if user in topic.written_by + topic.read_by)
