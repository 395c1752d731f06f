"""What is promised, and how a broken promise is counted: four objectives over 30 days.

For each: events and errors a second as recordings over five minutes, and everything longer from these two, weighted by
traffic and cheap also over 30 days. Names are those that sloth uses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.watching.pace import Pace, seconds_of

WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
PERIOD: Final = "30d"
LEAST_ERRORS: Final = 5
"""Fewer in the long window are bad luck at little traffic, and wake nobody."""


@dataclass(frozen=True)
class Objective:
    """A share of events that shall be good; both expressions hold `WINDOW` where the window belongs."""

    name: str
    title: str
    promise: str
    objective: float
    events: str
    errors: str

    @property
    def budget(self) -> str:
        """The share of events that may be bad."""
        return f"{1 - self.objective:.6g}"


@dataclass(frozen=True)
class Burn:
    """How many times faster than it may the budget burns, over a long window and still over a short one."""

    rate: float
    long: str
    short: str


PAGE: Final = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
TICKET: Final = (Burn(3, "1d", "2h"), Burn(1, "3d", "6h"))
LONGEST: Final = {"page": "6h", "ticket": "3d"}

OBJECTIVES: Final = (
    Objective(
        name="submissions",
        title="Submissions answered",
        promise="99.9 % of submissions get an answer that is not ours to blame: no 5xx",
        objective=0.999,
        events='sum(rate(huestream_ingest_requests_total{route="submit"}[WINDOW]))',
        errors='sum(rate(huestream_ingest_requests_total{route="submit",status=~"5.."}[WINDOW]))',
    ),
    Objective(
        name="images",
        title="Images in time",
        promise="99 % of images are classified within 2 minutes of their submission",
        objective=0.99,
        events='sum(rate(huestream_stage_seconds_count{stage="classified"}[WINDOW]))',
        errors='sum(rate(huestream_stage_seconds_count{stage="classified"}[WINDOW]))'
        ' - sum(rate(huestream_stage_seconds_bucket{stage="classified",le="120.0"}[WINDOW]))',
    ),
    Objective(
        name="batches",
        title="Batches complete",
        promise="99.5 % of batches end with all their images, before their deadline",
        objective=0.995,
        events='sum(rate(huestream_reporter_batches_total{reason!="canceled"}[WINDOW]))',
        errors='sum(rate(huestream_reporter_batches_total{reason="deadline"}[WINDOW]))',
    ),
    Objective(
        name="mails",
        title="Mails in time",
        promise="99 % of mails are with the mail server within 5 minutes of the end of their batch",
        objective=0.99,
        events="sum(rate(huestream_reporter_mail_seconds_count[WINDOW]))"
        ' + sum(rate(huestream_reporter_mails_failed_total{reason!="refused"}[WINDOW]))',
        errors="sum(rate(huestream_reporter_mail_seconds_count[WINDOW]))"
        ' - sum(rate(huestream_reporter_mail_seconds_bucket{le="300.0"}[WINDOW]))'
        ' + sum(rate(huestream_reporter_mails_failed_total{reason!="refused"}[WINDOW]))',
    ),
)


@dataclass(frozen=True)
class Recording:
    """One recording rule."""

    record: str
    expression: str
    slo: str


def recordings(pace: Pace) -> Iterator[Recording]:
    """All recordings, those that others read first."""
    for objective in OBJECTIVES:
        yield from _rates(objective, pace)
    for objective in OBJECTIVES:
        yield from _ratios(objective, pace)
    for objective in OBJECTIVES:
        yield from _budgets(objective)


def _rates(objective: Objective, pace: Pace) -> Iterator[Recording]:
    window = pace.window("5m")
    yield Recording("slo:sli_events:rate5m", objective.events.replace("WINDOW", window), objective.name)
    yield Recording("slo:sli_errors:rate5m", objective.errors.replace("WINDOW", window), objective.name)


def _ratios(objective: Objective, pace: Pace) -> Iterator[Recording]:
    events, errors = (f'slo:sli_{kind}:rate5m{{slo="{objective.name}"}}' for kind in ("events", "errors"))
    yield Recording("slo:sli_error:ratio_rate5m", f"{errors} / {events}", objective.name)
    for window in WINDOWS[1:]:
        over = pace.window(window)
        expression = f"sum_over_time({errors}[{over}]) / sum_over_time({events}[{over}])"
        yield Recording(f"slo:sli_error:ratio_rate{window}", expression, objective.name)
    for window in sorted(LONGEST.values()):
        expression = objective.errors.replace("rate(", "increase(").replace("WINDOW", pace.window(window))
        yield Recording(f"slo:sli_errors:increase{window}", expression, objective.name)


def _budgets(objective: Objective) -> Iterator[Recording]:
    spent = f'slo:sli_error:ratio_rate{PERIOD}{{slo="{objective.name}"}} / {objective.budget}'
    burning = f'slo:sli_error:ratio_rate5m{{slo="{objective.name}"}} / {objective.budget}'
    yield Recording("slo:objective:ratio", f"vector({objective.objective:g})", objective.name)
    yield Recording("slo:current_burn_rate:ratio", burning, objective.name)
    yield Recording("slo:period_error_budget_remaining:ratio", f"1 - {spent}", objective.name)


def burns(objective: Objective, severity: str, burned: Sequence[Burn]) -> str:
    """The condition of a burn alert: both windows of either pair, and more errors than bad luck makes."""
    pairs = " or ".join(f"({_over(objective, b.long, b.rate)} and {_over(objective, b.short, b.rate)})" for b in burned)
    least = f'slo:sli_errors:increase{LONGEST[severity]}{{slo="{objective.name}"}} >= {LEAST_ERRORS}'
    return f"({pairs}) and {least}"


def _over(objective: Objective, window: str, rate: float) -> str:
    return f'slo:sli_error:ratio_rate{window}{{slo="{objective.name}"}} > {rate * (1 - objective.objective):.6g}'


def is_slow(recording: Recording) -> bool:
    """Whether it reads so much, and changes so slowly, that once a minute is enough."""
    return any(recording.record.endswith(window) and seconds_of(window) >= 86_400 for window in WINDOWS)
