"""What every service measures: what it is made of, its health, its records, and the age of what it handles.

Declared here once; a service pre-creates the labels that it uses, so that a counter exists before it counts. Labels
come from closed sets only: names of our topics, groups and stages, never anything that a stranger wrote.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

from schemas.topics import Topic
from services.runtime.lag import Lag

disable_created_metrics()  # type: ignore[no-untyped-call]  # it would double the series of every counter and histogram; rates do not need it

Stage = Literal["accepted", "taken", "classified", "collected", "ended", "mailed"]
Probe = Literal["startup", "liveness", "readiness"]

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
"""Buckets of one step of work; the last ones are the limits of fetching and publishing."""
AGES: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)
"""Buckets of the time since a batch was submitted; an hour is the deadline of a batch unless it is set."""

BUILD: Final = Info("huestream_build", "Version of huestream, and a hash of the settings but for secrets and names")
STAGE_SECONDS: Final = Histogram(
    "huestream_stage_seconds",
    "Time from the submission of a batch until a batch (accepted, ended, mailed) or an image of it (taken, classified, "
    "collected) reached a stage",
    ["stage"],
    buckets=AGES,
)
PROBES: Final = Gauge("huestream_probe_success", "Whether a health probe succeeds: 1, or 0", ["probe"])
LOOP_LAG_SECONDS: Final = Histogram(
    "huestream_event_loop_lag_seconds",
    "How late the event loop came to a call that was due, looked at twice a second",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
SCRAPES_REFUSED: Final = Counter(
    "huestream_monitoring_connections_refused_total", "Connections to the monitoring port over its limit"
)

RECORDS: Final = Counter("huestream_consumer_records_total", "Records read from Kafka", ["topic"])
RECORDS_IN_FLIGHT: Final = Gauge(
    "huestream_consumer_records_in_flight", "Records read and not done, waiting ones included", ["topic"]
)
REDELIVERED: Final = Counter(
    "huestream_consumer_redelivered_records_total", "Records read that this process had read before", ["topic"]
)
LAG_RECORDS: Final = Gauge(
    "huestream_consumer_lag_records", "Records of the assigned partitions that are not committed", ["topic"]
)
LAG_SECONDS: Final = Gauge(
    "huestream_consumer_lag_seconds",
    "Age of the oldest record of the assigned partitions that is not committed; 0 where there is none",
    ["topic"],
)
LAG_MEASURED: Final = Gauge(
    "huestream_consumer_lag_last_success_timestamp_seconds", "When the lag was last measured", ["group"]
)
REBALANCES: Final = Counter("huestream_consumer_rebalances_total", "Assignments of partitions received", ["group"])
PARTITIONS: Final = Gauge("huestream_consumer_assigned_partitions", "Partitions assigned to this process", ["group"])
POLLED: Final = Gauge(
    "huestream_consumer_last_poll_timestamp_seconds", "When Kafka was last asked for records", ["group"]
)
COMMITTED: Final = Gauge(
    "huestream_consumer_last_commit_success_timestamp_seconds", "When all that was done was last committed", ["group"]
)
COMMIT_FAILURES: Final = Counter(
    "huestream_consumer_commit_failures_total", "Commits that failed, and are made up for by the next", ["group"]
)
DEAD_LETTERS: Final = Counter(
    "huestream_dead_letters_total", "Records put into the dead letters, by the topic they came from", ["topic"]
)
SPANS_DROPPED: Final = Counter("huestream_trace_spans_dropped_total", "Spans dropped because the collector is away")

for probe in get_args(Probe):
    PROBES.labels(probe)


class GroupMetrics:
    """What one member of a consumer group measures, its labels bound once."""

    def __init__(self, group: str, topics: Iterable[Topic]) -> None:
        names = [topic.name for topic in topics]
        self.records = {name: RECORDS.labels(name) for name in names}
        self.redelivered = {name: REDELIVERED.labels(name) for name in names}
        self.lag_records = {name: LAG_RECORDS.labels(name) for name in names}
        self.lag_seconds = {name: LAG_SECONDS.labels(name) for name in names}
        self.in_flight = {name: RECORDS_IN_FLIGHT.labels(name) for name in names}
        self.rebalances = REBALANCES.labels(group)
        self.partitions = PARTITIONS.labels(group)
        self.polled = POLLED.labels(group)
        self.committed = COMMITTED.labels(group)
        self.commit_failures = COMMIT_FAILURES.labels(group)
        self.lag_measured = LAG_MEASURED.labels(group)

    def assigned(self, partitions: int) -> None:
        """Note a rebalance, and what it left us with."""
        self.rebalances.inc()
        self.partitions.set(partitions)

    def lag(self, found: Mapping[str, Lag]) -> None:
        """Note how far behind we are, by topic."""
        for name, lag in found.items():
            self.lag_records[name].set(lag.records)
            self.lag_seconds[name].set(lag.seconds)
        self.lag_measured.set_to_current_time()
