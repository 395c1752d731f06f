"""The alerts, on what somebody feels or soon will; each has a page of docs/runbooks of its name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from deploy.watching.objectives import OBJECTIVES, PAGE, TICKET, Objective, burns
from deploy.watching.pace import Pace

Severity = Literal["page", "ticket", "none"]
SERVICES: Final = ("ingest", "classifier", "reporter")
JOBS: Final = tuple(f"huestream-{service}" for service in SERVICES)
OURS: Final = 'job=~"huestream-.*"'


@dataclass(frozen=True)
class Alert:
    """One alerting rule; `lasts` and `keeps` are durations as production means them."""

    name: str
    severity: Severity
    expression: str
    lasts: str
    summary: str
    cause: str
    keeps: str = ""
    labels: dict[str, str] = field(default_factory=dict)


def alerts(pace: Pace) -> list[Alert]:
    """All of them."""
    found = [alert for objective in OBJECTIVES for alert in _burning(objective)]
    for part in (_running, _stream, _batches, _mails, _images):
        found.extend(part(pace))
    return found


def _burning(objective: Objective) -> Iterator[Alert]:
    name = f"{objective.name.capitalize()}ErrorBudgetBurn"
    labels = {"slo": objective.name}
    told = "{{ $value | humanizePercentage }}"
    yield Alert(
        name,
        "page",
        burns(objective, "page", PAGE),
        "0s",
        f"{objective.title}: {told} are bad, and the budget of 30 days is gone within days",
        f"The promise: {objective.promise}.",
        labels=labels,
    )
    yield Alert(
        name,
        "ticket",
        burns(objective, "ticket", TICKET),
        "0s",
        f"{objective.title}: {told} are bad, and the budget of 30 days will not last",
        f"The promise: {objective.promise}.",
        labels=labels,
    )


def _running(pace: Pace) -> Iterator[Alert]:
    for job in JOBS:
        yield Alert(
            "ServiceDown",
            "page",
            f'absent(up{{job="{job}"}} == 1)',
            "5m",
            f"No {job} can be asked for its metrics",
            "All of its processes have ended, hang, or cannot be reached by Prometheus.",
            labels={"job": job},
        )
    yield Alert(
        "TargetDown",
        "ticket",
        f"up{{{OURS}}} == 0",
        "10m",
        "{{ $labels.job }} at {{ $labels.instance }} cannot be asked for its metrics",
        "The process has ended, hangs, or cannot be reached by Prometheus.",
    )
    yield Alert(
        "NotReady",
        "ticket",
        f'huestream_probe_success{{probe="readiness",{OURS}}} == 0',
        "10m",
        "{{ $labels.job }} at {{ $labels.instance }} runs, and is not ready",
        "Its /readyz says in a few words what is missing: Kafka, its partitions, its tables.",
    )
    yield Alert(
        "Restarting",
        "ticket",
        f"changes(process_start_time_seconds{{{OURS}}}[{pace.window('1h')}]) > 3",
        "0s",
        "{{ $labels.job }} at {{ $labels.instance }} was started again {{ $value }} times within an hour",
        "Its log says why it ended: a setting, its memory, or its own watchdog (status 70).",
    )
    yield Alert(
        "EventLoopSlow",
        "ticket",
        "histogram_quantile(0.99, sum by (job, instance, le) "
        f"(rate(huestream_event_loop_lag_seconds_bucket[{pace.window('10m')}]))) > 1",
        "10m",
        "{{ $labels.job }} at {{ $labels.instance }} answers its own calls {{ $value | humanizeDuration }} late",
        "The processor is taken by others, or the process computes where it should wait.",
    )
    yield Alert(
        "Watchdog",
        "none",
        "vector(1)",
        "0s",
        "Always fires, to show that alerts arrive",
        "Send it to a service that calls when it stays away.",
    )


def _stream(pace: Pace) -> Iterator[Alert]:
    window = pace.window("15m")
    yield Alert(
        "ConsumerLagGrowing",
        "page",
        f"max by (group, topic) (huestream_group_lag_seconds) > {pace.seconds('2m')} and "
        f"max by (group, topic) (deriv(huestream_group_lag_seconds[{window}])) > 0.1",
        "15m",
        "{{ $labels.group }} is {{ $value | humanizeDuration }} behind in {{ $labels.topic }}, and falls back further",
        "Too few consumers for the load, slow image hosts, or a record that holds all behind it.",
        keeps="10m",
    )
    yield Alert(
        "GroupWithoutMembers",
        "page",
        "max by (group) (huestream_group_members) == 0 and max by (group) (huestream_group_lag_records) > 0",
        "5m",
        "{{ $labels.group }} has no member, and records wait",
        "Its services have ended, hang, or cannot join their group.",
    )
    yield Alert(
        "KafkaUnreachable",
        "page",
        f"time() - max by (group) (huestream_group_lag_last_success_timestamp_seconds) > {pace.seconds('5m')}",
        "5m",
        "The lag of {{ $labels.group }} could not be asked for {{ $value | humanizeDuration }}",
        "Kafka is away, or refuses ingest: nothing is accepted and nothing moves.",
    )
    yield Alert(
        "DeadLetters",
        "ticket",
        f"sum by (topic) (increase(huestream_dead_letters_total[{pace.window('1h')}])) > 0",
        "0s",
        "Records of {{ $labels.topic }} could not be used",
        "`huestream dead-letters` lists them with their origin and the reason.",
    )


def _batches(pace: Pace) -> Iterator[Alert]:
    yield Alert(
        "BatchOverdue",
        "page",
        f"max(huestream_reporter_overdue_seconds) > {pace.seconds('5m')}",
        "5m",
        "A batch is open {{ $value | humanizeDuration }} after its deadline",
        "The reporter that owns it does not come to closing it: its tables, its topic, its own health.",
    )
    yield Alert(
        "ReportStoreFailing",
        "ticket",
        f"sum(increase(huestream_reporter_store_failures_total[{pace.window('15m')}])) > 0",
        "10m",
        "Reports could not be stored at once",
        "The report store (HUESTREAM_REPORT_STORE) is away, full, or refuses the reporter. Mails wait for it.",
    )


def _mails(pace: Pace) -> Iterator[Alert]:
    yield Alert(
        "MailServerAway",
        "page",
        "sum(huestream_reporter_unmailed_batches) > 0 "
        f'and sum(increase(huestream_reporter_mails_total{{outcome="away"}}[{pace.window("1h")}])) > 0 '
        f'unless sum(increase(huestream_reporter_mails_total{{outcome="sent"}}[{pace.window("10m")}])) > 0',
        "5m",
        "The mail server takes nothing, and the reports of {{ $value }} batches wait",
        "It is away, refuses the login, or its certificate. Results can be read all the same; nothing is lost.",
    )
    yield Alert(
        "MailsLate",
        "ticket",
        f"max(huestream_reporter_oldest_unmailed_batch_seconds) > {pace.seconds('1h')}",
        "10m",
        "A report has waited {{ $value | humanizeDuration }} for its mail",
        "Its recipient's server puts it off (outcome retry), or the reporter does not come to it.",
    )
    yield Alert(
        "MailsGivenUp",
        "ticket",
        f"sum by (reason) (increase(huestream_reporter_mails_failed_total[{pace.window('1h')}])) > 0",
        "0s",
        "Mails were given up: {{ $labels.reason }}",
        "refused: the server said no for good. given_up: a day has passed. unwritable: ours.",
    )
    yield Alert(
        "MailsMayHaveDoubled",
        "ticket",
        f"sum(increase(huestream_reporter_unmarked_mails_total[{pace.window('1h')}])) "
        f'+ sum(increase(huestream_reporter_mails_total{{outcome="ambiguous"}}[{pace.window("1h")}])) > 0',
        "0s",
        "Mails went whose acceptance is not recorded, and may go a second time",
        "The link broke after the final dot, or the batch went to another reporter meanwhile.",
    )


def _images(pace: Pace) -> Iterator[Alert]:
    window = pace.window("15m")
    yield Alert(
        "ImageHostsFailing",
        "ticket",
        f'sum(rate(huestream_classifier_images_total{{outcome=~"fetch_.*"}}[{window}])) '
        f"/ sum(rate(huestream_classifier_images_total[{window}])) > 0.5 "
        f"and sum(increase(huestream_classifier_images_total[{window}])) > 20",
        "10m",
        "{{ $value | humanizePercentage }} of all images cannot be fetched",
        "A host that many products name is away or refuses us; or our own way to the web is cut.",
    )
    yield Alert(
        "DecodersDying",
        "ticket",
        f'sum(increase(huestream_classifier_decoder_ends_total{{reason!="recycled"}}[{window}])) > 10',
        "10m",
        "{{ $value | humanize }} decoding processes died within 15 minutes",
        "Hostile images, or limits too narrow for honest ones. Each costs its own image only.",
    )
    yield Alert(
        "ImagesFailingInside",
        "ticket",
        f'sum(increase(huestream_classifier_images_total{{outcome="internal"}}[{pace.window("1h")}])) > 0',
        "0s",
        "Images ended with an error of our own",
        "The log of the classifier has the traceback, with the id of the image's batch.",
    )
