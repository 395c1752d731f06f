"""The page of a preview: a dashboard's panels on its grid, each with what Prometheus answered."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from deploy.observing.charts import Series, chart, color_of, spark
from deploy.observing.numbers_shown import shown
from deploy.watching.panels import Dashboard, Panel, Row

WIDTH: Final = 1600
_MARGIN: Final = 16
_GAP: Final = 8
_UNIT: Final = 30
"""Height of one row of the grid, without the gap."""
_LEGENDS: Final = 10
_STYLE: Final = Path(__file__).with_name("preview.css").read_text()

Data = Mapping[str, Sequence[Series]]
"""Series by the title of their panel and its place on the page."""


def page(dashboard: Dashboard, data: Data, times: tuple[float, float], about: str) -> str:
    """The whole page; what it is drawn from is said at its end."""
    rows = "".join(_row(row, data, times, number) for number, row in enumerate(dashboard.rows))
    return (
        f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><header><h1>{escape(dashboard.title)}</h1>"
        f"<p>{escape(dashboard.description)}</p></header>{rows}<footer>{escape(about)}</footer>"
    )


def key(row: int, place: int) -> str:
    """Name a panel by its row and its place there."""
    return f"{row}.{place}"


def _row(row: Row, data: Data, times: tuple[float, float], number: int) -> str:
    panels = "".join(_panel(panel, data[key(number, place)], times) for place, panel in enumerate(row.panels))
    return f'<h2>{escape(row.title)}</h2><div class="row">{panels}</div>'


def _panel(panel: Panel, series: Sequence[Series], times: tuple[float, float]) -> str:
    width = (WIDTH - 2 * _MARGIN + _GAP) * panel.width / 24 - _GAP
    height = panel.height * (_UNIT + _GAP) - _GAP
    inner = _inner(panel, [one for one in series if one.points], times, (width, height))
    title = f"<h3>{escape(panel.title)}</h3>"
    return f'<div class="panel" style="grid-column:span {panel.width};height:{height}px">{title}{inner}</div>'


def _inner(panel: Panel, series: Sequence[Series], times: tuple[float, float], size: tuple[float, float]) -> str:
    if not series:
        return f'<div class="none">{escape(panel.empty or "no data")}</div>'
    if panel.kind == "stat":
        return _number(panel, series[0], times, size)
    if panel.kind == "bars":
        return _bars(panel, series)
    if panel.kind == "table":
        return (
            "<table>"
            + "".join(f"<tr><td>{escape(one.name)}<td>{shown(one.last, panel.unit)}" for one in series)
            + "</table>"
        )
    legend = "".join(
        f'<span><i style="background:{one.color}"></i>{escape(one.name)} <b>{shown(one.last, panel.unit)}</b></span>'
        for one in series[:_LEGENDS]
    )
    more = f"<span>and {len(series) - _LEGENDS} more</span>" if len(series) > _LEGENDS else ""
    return f'{chart(panel, series, times, (size[0] - 22, size[1] - 78))}<div class="legend">{legend}{more}</div>'


def _number(panel: Panel, one: Series, times: tuple[float, float], size: tuple[float, float]) -> str:
    color = color_of(one.last, panel.steps)
    text = shown(one.last, panel.unit, panel.decimals)
    return (
        f'<div class="number" style="color:{color}">{text}</div>{spark(one, color, times, (size[0], size[1] * 0.36))}'
    )


def _bars(panel: Panel, series: Sequence[Series]) -> str:
    most = max((one.last for one in series), default=0) or 1
    colors = dict(panel.colors)
    lines = []
    for one in series:
        color = colors.get(one.name) or (color_of(one.last, panel.steps) if panel.steps else one.color)
        bar = f'<div class="bar"><b style="width:{100 * one.last / most:.1f}%;background:{color}"></b></div>'
        lines.append(f"<span>{escape(one.name)}</span>{bar}<span>{shown(one.last, panel.unit, panel.decimals)}</span>")
    return f'<div class="bars">{"".join(lines)}</div>'
