"""Is it healthy, is it keeping up, and what is left of the budgets."""

from typing import Final

from deploy.watching.dashboards.endpoint import ENDPOINT
from deploy.watching.dashboards.processes import PROCESSES
from deploy.watching.objectives import OBJECTIVES, Objective
from deploy.watching.panels import Dashboard, Panel, Query, Row, falling, quantile, quantiles, rate

_STAGES: Final = ("accepted", "taken", "classified", "collected", "ended", "mailed")


def _objective(objective: Objective) -> tuple[Panel, Panel]:
    chosen = f'{{slo="{objective.name}"}}'
    good = Panel(
        title=objective.title,
        description=f"{objective.promise}, over 30 days. Shown: the last hour.",
        unit="percentunit",
        queries=(Query(f"1 - slo:sli_error:ratio_rate1h{chosen}", "last hour"),),
        kind="stat",
        width=3,
        height=4,
        decimals=2,
        most=1,
        steps=falling(objective.objective, 1 - 14.4 * (1 - objective.objective)),
    )
    left = Panel(
        title="Budget left",
        description=f"Of the errors that 30 days may have ({objective.promise}): what is not used up. Below zero: "
        "broken.",
        unit="percentunit",
        queries=(Query(f"slo:period_error_budget_remaining:ratio{chosen}", "budget left"),),
        kind="stat",
        width=3,
        height=4,
        decimals=1,
        least=None,
        most=1,
        steps=falling(0.25, 0),
    )
    return good, left


OVERVIEW: Final = Dashboard(
    uid="huestream-overview",
    title="huestream / Overview",
    description="Is it healthy, is it keeping up, and what is left of the error budgets. Begin here.",
    rows=(
        Row("Objectives, over 30 days", tuple(panel for one in OBJECTIVES for panel in _objective(one))),
        Row(
            "Burning and firing",
            (
                Panel(
                    title="Burn rate of the error budgets",
                    description="1 uses up the budget in exactly 30 days. A page comes at 14.4 over an hour, or "
                    "6 over six.",
                    unit="short",
                    queries=(Query("slo:current_burn_rate:ratio", "{{slo}}"),),
                    width=12,
                ),
                Panel(
                    title="Alerts firing",
                    description="Alerts that fire now, by name; Watchdog, which always fires, is left out.",
                    unit="short",
                    queries=(
                        Query(
                            'count by (alertname, severity) (ALERTS{alertstate="firing",alertname!="Watchdog"})',
                            "{{alertname}} ({{severity}})",
                        ),
                    ),
                    width=12,
                    empty="nothing fires",
                ),
            ),
        ),
        Row(
            "From submission to mail",
            (
                Panel(
                    title="Time since submission, by stage, p95",
                    description="Batches: accepted, ended (all results are there), mailed. Images: taken by a "
                    "classifier, "
                    "classified, collected by the reporter.",
                    unit="s",
                    queries=tuple(
                        Query(quantile(0.95, "huestream_stage_seconds", where=f'stage="{stage}"'), stage)
                        for stage in _STAGES
                    ),
                ),
                Panel(
                    title="Time from submission to mail",
                    description="The whole way of a batch. Its points lead to traces where tracing is on.",
                    unit="s",
                    queries=quantiles("huestream_stage_seconds", 'stage="mailed"'),
                ),
                Panel(
                    title="Images in and out",
                    description="Accepted by the endpoint, classified, and reported as part of a batch that ended. "
                    "In a steady state the three are one.",
                    unit="ops",
                    queries=(
                        Query(rate("huestream_ingest_images_total"), "accepted"),
                        Query(rate("huestream_classifier_images_total"), "classified"),
                        Query(rate("huestream_reporter_images_total"), "reported"),
                    ),
                ),
            ),
        ),
        ENDPOINT,
        PROCESSES,
    ),
)
