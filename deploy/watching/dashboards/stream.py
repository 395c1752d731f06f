"""Kafka: is it keeping up, who holds which partitions, what did not fit."""

from typing import Final

from deploy.watching.panels import Dashboard, Panel, Query, Row, rate, rising

_PROCESS: Final = "{{job}} {{instance}}"

STREAM: Final = Dashboard(
    uid="huestream-stream",
    title="huestream / Stream",
    description="Kafka as the services see it: lag, throughput, groups, and what could not be used.",
    rows=(
        Row(
            "Keeping up",
            (
                Panel(
                    title="Behind, in seconds",
                    description="Age of the oldest record that a group has not committed, seen by ingest from "
                    "outside: also "
                    "while none of the group's members runs. What people wait.",
                    unit="s",
                    queries=(Query("max by (group, topic) (huestream_group_lag_seconds)", "{{group}} {{topic}}"),),
                ),
                Panel(
                    title="Behind, in records",
                    description="Records that a group has not committed, seen from outside. What an autoscaler counts.",
                    unit="short",
                    queries=(Query("max by (group, topic) (huestream_group_lag_records)", "{{group}} {{topic}}"),),
                ),
                Panel(
                    title="Lag last measured",
                    description="Time since ingest last saw a group's lag. It grows while Kafka cannot be asked.",
                    unit="s",
                    queries=(
                        Query(
                            "time() - max by (group) (huestream_group_lag_last_success_timestamp_seconds)", "{{group}}"
                        ),
                    ),
                ),
                Panel(
                    title="Behind, as the consumers see it",
                    description="The same age, by each process for its own partitions.",
                    unit="s",
                    queries=(Query("huestream_consumer_lag_seconds", f"{_PROCESS} {{{{topic}}}}"),),
                ),
                Panel(
                    title="Records behind, as the consumers see it",
                    description="Uncommitted records of the partitions that a process has.",
                    unit="short",
                    queries=(Query("huestream_consumer_lag_records", f"{_PROCESS} {{{{topic}}}}"),),
                ),
                Panel(
                    title="Lag last measured by the consumers",
                    description="Time since a process last measured the lag of its own partitions.",
                    unit="s",
                    queries=(
                        Query(
                            "time() - huestream_consumer_lag_last_success_timestamp_seconds",
                            f"{_PROCESS} {{{{group}}}}",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Throughput",
            (
                Panel(
                    title="Records read, by topic",
                    description="Records a second that all processes read.",
                    unit="ops",
                    queries=(Query(rate("huestream_consumer_records_total", "topic"), "{{topic}}"),),
                ),
                Panel(
                    title="In flight",
                    description="Records read and not done. At the window's limit a consumer pauses its partitions.",
                    unit="short",
                    queries=(Query("sum by (job, topic) (huestream_consumer_records_in_flight)", "{{job}} {{topic}}"),),
                ),
                Panel(
                    title="Read again",
                    description="Records that the same process had read before: after a rebalance or a failed commit. "
                    "Results are deduplicated; only the work is done twice.",
                    unit="ops",
                    queries=(Query(rate("huestream_consumer_redelivered_records_total", "topic"), "{{topic}}"),),
                ),
            ),
        ),
        Row(
            "Groups",
            (
                Panel(
                    title="Members",
                    description="Members of each consumer group, seen from outside.",
                    unit="short",
                    queries=(Query("max by (group) (huestream_group_members)", "{{group}}"),),
                    width=6,
                ),
                Panel(
                    title="Partitions by process",
                    description="Partitions that each process has. A process without any is one too many, or not "
                    "in its group.",
                    unit="short",
                    queries=(Query("huestream_consumer_assigned_partitions", f"{_PROCESS} {{{{group}}}}"),),
                    width=6,
                ),
                Panel(
                    title="Rebalances",
                    description="Assignments received within five minutes, by group. Many: processes come and go.",
                    unit="short",
                    queries=(Query("sum by (group) (increase(huestream_consumer_rebalances_total[5m]))", "{{group}}"),),
                    width=6,
                ),
                Panel(
                    title="Since the last poll",
                    description="Time since a process last asked Kafka for records. Past a minute its liveness fails.",
                    unit="s",
                    queries=(
                        Query("time() - huestream_consumer_last_poll_timestamp_seconds", f"{_PROCESS} {{{{group}}}}"),
                    ),
                    width=6,
                ),
                Panel(
                    title="Since the last commit",
                    description="Time since all that was done was last committed. It grows where one image holds "
                    "all behind it.",
                    unit="s",
                    queries=(
                        Query(
                            "time() - huestream_consumer_last_commit_success_timestamp_seconds",
                            f"{_PROCESS} {{{{group}}}}",
                        ),
                    ),
                    width=6,
                ),
                Panel(
                    title="Failed commits",
                    description="Commits that failed, a second; the next one makes up for them.",
                    unit="ops",
                    queries=(Query(rate("huestream_consumer_commit_failures_total", "group"), "{{group}}"),),
                    width=6,
                ),
                Panel(
                    title="Dead letters of the last hour",
                    description="Records that could not be used, by the topic they came from. `huestream "
                    "dead-letters` lists them.",
                    unit="short",
                    queries=(Query("sum by (topic) (increase(huestream_dead_letters_total[1h]))", "{{topic}}"),),
                    kind="bars",
                    width=6,
                    steps=rising(1, 10),
                    decimals=0,
                ),
                Panel(
                    title="Results published",
                    description="p50, p95 and p99 of the time until Kafka acknowledged the result of one image.",
                    unit="s",
                    queries=tuple(
                        Query(
                            f"histogram_quantile({q}, sum by (le) "
                            "(rate(huestream_classifier_publish_seconds_bucket[$__rate_interval])))",
                            name,
                        )
                        for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
                    ),
                    width=6,
                ),
            ),
        ),
    ),
)
