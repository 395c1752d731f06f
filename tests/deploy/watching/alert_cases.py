"""What the alerts are tried with: for each a case in which it fires, alone, and a near miss in which it does not.

Series are as promtool reads them, a value a minute: `0+60x30` counts by 60 for half an hour, `1x10 0x5` is 1, then 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deploy.watching.alerts import JOBS

Fired = tuple[str, str]
"""Name and severity of an alert."""


@dataclass(frozen=True)
class Case:
    """Series beside, or instead of, those of a quiet day; what fires at which time."""

    of: Fired
    what: str
    series: Mapping[str, str]
    firing: Mapping[str, frozenset[Fired]] = field(default_factory=dict)
    """By time since the beginning: exactly these fire then."""
    evaluated: str = "1m"


def up(job: str) -> str:
    return f'up{{job="{job}",instance="{job}-1"}}'


def ready(job: str) -> str:
    return f'huestream_probe_success{{probe="readiness",job="{job}",instance="{job}-1"}}'


QUIET: Mapping[str, str] = {
    **{up(job): "1x6000" for job in JOBS},
    **{ready(job): "1x6000" for job in JOBS},
    'huestream_group_lag_seconds{group="g",topic="t"}': "1x6000",
    'huestream_group_lag_records{group="g",topic="t"}': "5x6000",
    'huestream_group_members{group="g"}': "2x6000",
    'huestream_group_lag_last_success_timestamp_seconds{group="g"}': "0+60x6000",
    'huestream_reporter_mails_failed_total{reason="given_up"}': "0x6000",
    'huestream_reporter_mails_failed_total{reason="refused"}': "0x6000",
    'huestream_reporter_mails_total{outcome="ambiguous"}': "0x6000",
    "huestream_reporter_unmarked_mails_total": "0x6000",
}


def case(name: str, severity: str, what: str, series: Mapping[str, str], *fires: str, **quiet: str) -> Case:
    """A case of one alert: fires at these times, and not at that of `quiet`; nothing else fires at any of them."""
    of = (name, severity)
    silent = {quiet["at"]: frozenset[Fired]()} if "at" in quiet else {}
    return Case(of, what, series, {at: frozenset({of}) for at in fires} | silent)


def counted(good: str, bad: str) -> dict[str, dict[str, str]]:
    """For each objective the series of as many good and bad events."""
    stage, mail = "huestream_stage_seconds", "huestream_reporter_mail_seconds"
    return {
        "Submissions": {
            'huestream_ingest_requests_total{route="submit",status="200"}': good,
            'huestream_ingest_requests_total{route="submit",status="503"}': bad,
        },
        "Images": {
            f'{stage}_bucket{{stage="classified",le="120.0"}}': good,
            f'{stage}_count{{stage="classified"}}': summed(good, bad),
        },
        "Batches": {
            'huestream_reporter_batches_total{reason="complete"}': good,
            'huestream_reporter_batches_total{reason="deadline"}': bad,
            'huestream_reporter_batches_total{reason="canceled"}': good,
        },
        "Mails": {
            f'{mail}_bucket{{le="300.0"}}': good,
            f"{mail}_count": summed(good, bad),
        },
    }


def summed(good: str, bad: str) -> str:
    """Add two series of the form `0+RATExCOUNT …`, piece by piece."""
    pieces = [(one.split("+"), other.split("+")) for one, other in zip(good.split(), bad.split(), strict=True)]
    return " ".join(
        f"{int(a[0]) + int(b[0])}+{int(a[1].split('x')[0]) + int(b[1].split('x')[0])}x{a[1].split('x')[1]}"
        for a, b in pieces
    )


BUDGETS = {"Submissions": 0.001, "Images": 0.01, "Batches": 0.005, "Mails": 0.01}
MANY = 100_000
"""Good events a minute, so that shares of a thousandth are whole numbers."""


def burning(burn: float, objective: str, minutes: int) -> dict[str, str]:
    """So many times the errors that the budget allows, for so long."""
    bad = round(MANY * BUDGETS[objective] * burn)
    return counted(f"0+{MANY - bad}x{minutes}", f"0+{bad}x{minutes}")[objective]


def burning_late(burn: float, objective: str) -> dict[str, str]:
    """Nothing for five hours, then so many times the errors that the budget allows."""
    bad = round(MANY * BUDGETS[objective] * burn)
    return counted(f"0+{MANY}x300 {MANY * 300}+{MANY - bad}x80", f"0+0x300 0+{bad}x80")[objective]


def burn_cases() -> Iterator[Case]:
    for objective in BUDGETS:
        name = f"{objective}ErrorBudgetBurn"
        page, ticket = (name, "page"), (name, "ticket")
        both = frozenset({page, ticket})
        yield Case(page, "16 times", burning_late(16, objective), {"5h": frozenset(), "6h10m": both}, "10m")
        yield Case(page, "12 times", burning_late(12, objective), {"6h10m": frozenset({ticket})}, "10m")
        yield Case(page, "7 times, for six hours", burning(7, objective, 400), {"6h10m": both}, "10m")
        yield Case(page, "5 times wakes nobody", burning(5, objective, 400), {"6h10m": frozenset({ticket})}, "10m")
        yield Case(ticket, "1.2 times, for days", burning(1.2, objective, 4400), {"73h": frozenset({ticket})}, "1h")
        yield Case(ticket, "0.8 times", burning(0.8, objective, 4400), {"73h": frozenset()}, "1h")
        over = counted(f"0+600x60 {600 * 60}+1000x120", f"0+400x60 {400 * 60}+0x120")[objective]
        yield Case(page, "an hour of it, and over", over, {"1h": both, "2h30m": frozenset({ticket})}, "5m")
        few = counted("0+0x30 0+0x30", "0+0x30 1+0x30")[objective]
        yield Case(page, "one error at no traffic", few, {"35m": frozenset(), "50m": frozenset()}, "5m")


def requests(**rates: str) -> dict[str, str]:
    return {
        f'huestream_ingest_requests_total{{route="submit",status="{name[1:]}"}}': values
        for name, values in rates.items()
    }


RUNNING = (
    case(
        "SubmissionsErrorBudgetBurn",
        "page",
        "a flood of what is the callers' own",
        requests(_200="0+10x120", _429="0+900x120", _503="0x120"),
        at="1h30m",
    ),
    case("ServiceDown", "page", "all ingests", {up("huestream-ingest"): "1x10 0x9"}, "17m", at="14m"),
    case("ServiceDown", "page", "targets that are gone", {up("huestream-reporter"): "1x10 _x30"}, "22m", at="11m"),
    case("ServiceDown", "page", "one of two", {'up{job="huestream-ingest",instance="2"}': "0x9"}, at="9m"),
    case("TargetDown", "ticket", "one of two", {'up{job="huestream-ingest",instance="2"}': "0x30"}, "11m", at="9m"),
    case("TargetDown", "ticket", "another's", {'up{job="elsewhere",instance="2"}': "0x30"}, at="20m"),
    case("NotReady", "ticket", "one", {ready("huestream-classifier"): "0x30"}, "11m", at="9m"),
    case("NotReady", "ticket", "starting", {ready("huestream-classifier"): "0x5 1x30"}, at="12m"),
    case(
        "Restarting",
        "ticket",
        "five times in an hour",
        {'process_start_time_seconds{job="huestream-reporter",instance="1"}': "0x5 1x5 2x5 3x5 4x5 5x200"},
        "30m",
        at="2h",
    ),
    case(
        "Restarting",
        "ticket",
        "a rollout",
        {'process_start_time_seconds{job="huestream-reporter",instance="1"}': "0x5 1x60"},
        at="30m",
    ),
    case(
        "EventLoopSlow",
        "ticket",
        "a fifth of all calls later than a second",
        {
            'huestream_event_loop_lag_seconds_bucket{job="j",instance="1",le="1.0"}': "0+96x60",
            'huestream_event_loop_lag_seconds_bucket{job="j",instance="1",le="5.0"}': "0+120x60",
            'huestream_event_loop_lag_seconds_bucket{job="j",instance="1",le="+Inf"}': "0+120x60",
        },
        "30m",
        at="5m",
    ),
    case(
        "EventLoopSlow",
        "ticket",
        "one in a thousand",
        {
            'huestream_event_loop_lag_seconds_bucket{job="j",instance="1",le="1.0"}': "0+999x60",
            'huestream_event_loop_lag_seconds_bucket{job="j",instance="1",le="+Inf"}': "0+1000x60",
        },
        at="30m",
    ),
)
LAG = 'huestream_group_lag_seconds{group="g",topic="t"}'
MEMBERS = 'huestream_group_members{group="g"}'
SEEN = 'huestream_group_lag_last_success_timestamp_seconds{group="g"}'
STREAM = (
    case("ConsumerLagGrowing", "page", "for an hour", {LAG: "0+30x60 1800+0x60"}, "50m", "1h20m", at="1h45m"),
    case("ConsumerLagGrowing", "page", "a large batch that is worked off", {LAG: "0+60x5 300-10x30"}, at="15m"),
    case("ConsumerLagGrowing", "page", "long, and not growing", {LAG: "600x60"}, at="50m"),
    case("GroupWithoutMembers", "page", "and records wait", {MEMBERS: "2x5 0x30"}, "12m", at="8m"),
    case(
        "GroupWithoutMembers",
        "page",
        "and nothing to do",
        {MEMBERS: "0x30", 'huestream_group_lag_records{group="g",topic="t"}': "0x30"},
        at="20m",
    ),
    case("KafkaUnreachable", "page", "for a quarter of an hour", {SEEN: "0+60x10 600+0x30"}, "22m", at="14m"),
    case("KafkaUnreachable", "page", "for three minutes", {SEEN: "0+60x10 600+0x3 840+60x60"}, at="14m"),
    case("DeadLetters", "ticket", "one", {'huestream_dead_letters_total{topic="t"}': "0x5 1x100"}, "10m", at="80m"),
    case("DeadLetters", "ticket", "of long ago", {'huestream_dead_letters_total{topic="t"}': "7x100"}, at="10m"),
)
OVERDUE, STORE = "huestream_reporter_overdue_seconds", "huestream_reporter_store_failures_total"
BATCHES = (
    case("BatchOverdue", "page", "by a quarter of an hour", {OVERDUE: "0x5 0+60x30"}, "20m", at="12m"),
    case("BatchOverdue", "page", "by a minute", {OVERDUE: "60x60"}, at="40m"),
    case("ReportStoreFailing", "ticket", "again and again", {STORE: "0+1x60"}, "20m", at="8m"),
    case("ReportStoreFailing", "ticket", "once", {STORE: "0x5 1x60"}, at="35m"),
)
WAITING, OLDEST = "huestream_reporter_unmailed_batches", "huestream_reporter_oldest_unmailed_batch_seconds"
AWAY, SENT = (f'huestream_reporter_mails_total{{outcome="{outcome}"}}' for outcome in ("away", "sent"))
GIVEN_UP = 'huestream_reporter_mails_failed_total{reason="refused"}'
AMBIGUOUS = 'huestream_reporter_mails_total{outcome="ambiguous"}'
MAILS = (
    case(
        "MailServerAway",
        "page",
        "for half an hour, and back",
        {WAITING: "0x5 0+2x30 0x60", AWAY: "0x5 0+4x30 120x60", SENT: "0+2x5 10x30 10+20x60"},
        "25m",
        at="40m",
    ),
    case(
        "MailServerAway",
        "page",
        "one recipient's server puts it off",
        {WAITING: "1x60", AWAY: "0x60", SENT: "10x60", 'huestream_reporter_mails_total{outcome="retry"}': "0+1x60"},
        at="40m",
    ),
    case(
        "MailServerAway",
        "page",
        "it hangs now and then",
        {WAITING: "3x60", AWAY: "0+1x60", SENT: "0+9x60"},
        at="40m",
    ),
    case("MailsLate", "ticket", "by more than an hour", {OLDEST: "0+60x100"}, "75m", at="65m"),
    case("MailsLate", "ticket", "by minutes", {OLDEST: "600x100"}, at="60m"),
    case("MailsGivenUp", "ticket", "one", {GIVEN_UP: "0x5 1x100"}, "10m", at="80m"),
    case("MailsGivenUp", "ticket", "of long ago", {GIVEN_UP: "4x100"}, at="10m"),
    case("MailsMayHaveDoubled", "ticket", "one", {AMBIGUOUS: "0x5 1x100"}, "10m", at="80m"),
    case("MailsMayHaveDoubled", "ticket", "of long ago", {AMBIGUOUS: "1x100"}, at="10m"),
)


def ended(**rates: str) -> dict[str, str]:
    return {f'huestream_classifier_images_total{{outcome="{outcome}"}}': values for outcome, values in rates.items()}


def died(reason: str, values: str) -> dict[str, str]:
    return {f'huestream_classifier_decoder_ends_total{{reason="{reason}"}}': values}


IMAGES = (
    case(
        "ImageHostsFailing",
        "ticket",
        "three in four",
        ended(succeeded="0+10x60", fetch_http_status="0+20x60", fetch_timeout="0+10x60"),
        "25m",
        at="8m",
    ),
    case("ImageHostsFailing", "ticket", "one in three", ended(succeeded="0+20x60", fetch_dns="0+10x60"), at="40m"),
    case("ImageHostsFailing", "ticket", "three in four, of few", ended(succeeded="0x60", fetch_dns="0+1x60"), at="40m"),
    case("DecodersDying", "ticket", "two a minute", died("crashed", "0+2x60"), "30m", at="5m"),
    case("DecodersDying", "ticket", "their time was up", died("recycled", "0+9x60"), at="40m"),
    case("ImagesFailingInside", "ticket", "one", ended(internal="0x5 1x100"), "10m", at="80m"),
    case("ImagesFailingInside", "ticket", "a broken file", ended(internal="0x60", image_corrupt="0+1x60"), at="30m"),
)
CASES = (*burn_cases(), *RUNNING, *STREAM, *BATCHES, *MAILS, *IMAGES)
