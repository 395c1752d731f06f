"""What a dashboard is made of, said without Grafana: rows of panels, each with its queries."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lines", "stacked", "stat", "bars", "table"]


@dataclass(frozen=True)
class Query:
    """One expression, and the name of its series."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Step:
    """From this value on the color is another one; the first step of a panel has no value."""

    value: float | None
    color: str


@dataclass(frozen=True)
class Panel:
    """One picture; `empty` says why it may rightly have no data, in a run as much as in production."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = "lines"
    width: int = 8
    height: int = 8
    least: float | None = 0
    most: float | None = None
    decimals: int | None = None
    steps: tuple[Step, ...] = ()
    colors: tuple[tuple[str, str], ...] = ()
    """Colors of series by name, where the name means one."""
    empty: str = ""


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    """One page of Grafana."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, from the top."""
        return tuple(panel for row in self.rows for panel in row.panels)


RATE = "$__rate_interval"


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Sum of a counter's rates, by labels.

    >>> rate("x_total", "route")
    'sum by (route) (rate(x_total[$__rate_interval]))'
    """
    return f"sum{f' by ({by}) ' if by else ''}(rate({metric}{f'{{{where}}}' if where else ''}[{RATE}]))"


def seen_rate(metric: str, by: str, where: str = "") -> str:
    """The same, of those only that counted within the time shown: the others would crowd the legend."""
    counted = f"increase({metric}{f'{{{where}}}' if where else ''}[$__range])"
    return f"{rate(metric, by, where)} and sum by ({by}) ({counted}) > 0"


def quantile(q: float, histogram: str, by: str = "", where: str = "") -> str:
    """A quantile of a histogram over all processes, by labels."""
    selected = f"{histogram}_bucket{f'{{{where}}}' if where else ''}"
    return f"histogram_quantile({q:g}, sum by ({', '.join(filter(None, (by, 'le')))}) (rate({selected}[{RATE}])))"


def quantiles(histogram: str, where: str = "", shown: tuple[float, ...] = (0.5, 0.95, 0.99)) -> tuple[Query, ...]:
    """Some quantiles of a histogram, each a series."""
    return tuple(Query(quantile(q, histogram, where=where), f"p{q * 100:g}") for q in shown)


GOOD, WARN, BAD = "#6ccf8e", "#f2c14e", "#f0616d"


def falling(warn: float, bad: float) -> tuple[Step, ...]:
    """Less is worse."""
    return (Step(None, BAD), Step(bad, WARN), Step(warn, GOOD))


def rising(warn: float, bad: float) -> tuple[Step, ...]:
    """More is worse."""
    return (Step(None, GOOD), Step(warn, WARN), Step(bad, BAD))
