"""Every expression of dashboards and alerts, asked of the Prometheus that scrapes the running system."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.observing.prometheus import Prometheus
from deploy.observing.system import ObserveError
from deploy.watching.alerts import alerts
from deploy.watching.dashboards import DASHBOARDS
from deploy.watching.expressions import Selector, selectors, substituted
from deploy.watching.pace import Pace
from deploy.watching.panels import Panel

STEP: Final = 2.0
_RATE: Final = "10s"


@dataclass
class Checked:
    """How many expressions were asked, and what is wrong."""

    panels: int = 0
    queries: int = 0
    alerts: int = 0
    selections: int = 0
    wrong: list[str] = field(default_factory=list)


def concrete(expression: str, seconds: float) -> str:
    """Write what Grafana would ask in the place of its variables, for a picture of so many seconds."""
    return substituted(expression, {"$__rate_interval": _RATE, "$__range": f"{math.ceil(seconds)}s"})


def has_data(found: list[dict[str, Any]]) -> bool:
    """Whether there is a number in it: NaN is what a division by nothing gives."""
    return any(math.isfinite(float(value)) for series in found for _, value in series.get("values", ()))


async def check_all(prometheus: Prometheus, begin: float, end: float, pace: Pace) -> Checked:
    """Ask everything; what fails, and what is empty and may not be, is told."""
    checked = Checked()
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            await _check_panel(prometheus, f"{dashboard.title}: {panel.title}", panel, (begin, end), checked)
    for alert in alerts(pace):
        checked.alerts += 1
        await _succeeds(prometheus, alert.name, alert.expression, checked)
    await _check_selections(prometheus, pace, checked)
    return checked


async def _check_panel(
    prometheus: Prometheus, name: str, panel: Panel, times: tuple[float, float], checked: Checked
) -> None:
    checked.panels += 1
    for query in panel.queries:
        checked.queries += 1
        try:
            expression = concrete(query.expression, times[1] - times[0])
            found = await prometheus.query_range(expression, *times, STEP)
        except ObserveError as error:
            checked.wrong.append(f"{name}: {error}")
            continue
        if not panel.empty and not has_data(found):
            checked.wrong.append(f"{name}: no data of {expression}")


async def _succeeds(prometheus: Prometheus, name: str, expression: str, checked: Checked) -> None:
    try:
        await prometheus.query(expression)
    except ObserveError as error:
        checked.wrong.append(f"{name}: {error}")


async def _check_selections(prometheus: Prometheus, pace: Pace, checked: Checked) -> None:
    """An alert that is silent is right only when there is something that it looks at."""
    for name, selector in _looked_at(pace):
        checked.selections += 1
        if not await prometheus.query(f"count({selection_text(selector)})"):
            checked.wrong.append(f"{name}: there is no {selection_text(selector)}")


def _looked_at(pace: Pace) -> Iterator[tuple[str, Selector]]:
    for alert in alerts(pace):
        for selector in selectors(alert.expression):
            yield alert.name, selector


def selection_text(selector: Selector) -> str:
    """Write a selection as PromQL."""
    chosen = ",".join(f'{label}{how}"{value}"' for label, how, value in selector.matchers)
    return f"{selector.name}{{{chosen}}}"
