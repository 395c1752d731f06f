"""Charts as SVG, drawn from series that Prometheus gave."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from deploy.observing.numbers_shown import shown, ticks
from deploy.watching.panels import Panel, Step

PALETTE: Final = (
    *("#5aa9e6", "#f4a259", "#7bd389", "#c792ea", "#f07178", "#4dd0c4", "#e6c65a", "#9fb4ff"),
    *("#ff8fb1", "#8bc34a", "#b0bec5", "#d4a373"),
)
_LEFT, _BOTTOM, _TOP, _RIGHT = 58, 20, 8, 8

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """One line: its name, its color, its values by time."""

    name: str
    color: str
    points: Points

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]


@dataclass(frozen=True)
class Frame:
    """Where values and times lie in the picture."""

    width: float
    height: float
    begin: float
    end: float
    least: float
    most: float

    def x(self, when: float) -> float:
        """Place a time."""
        return _LEFT + (when - self.begin) / (self.end - self.begin) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Place a value."""
        inner = self.height - _TOP - _BOTTOM
        return _TOP + (1 - (value - self.least) / (self.most - self.least)) * inner


def chart(panel: Panel, series: Sequence[Series], times: tuple[float, float], size: tuple[float, float]) -> str:
    """Lines, or areas on each other."""
    layers = (
        stacked(series)
        if panel.kind == "stacked"
        else [(one, [(when, 0.0) for when, _ in one.points]) for one in series]
    )
    frame = Frame(*size, *times, *_range(panel, layers))
    drawn = "".join(_layer(frame, one, below, panel.kind == "stacked") for one, below in layers)
    return f'<svg width="{size[0]:.0f}" height="{size[1]:.0f}">{_grid(frame, panel)}{drawn}</svg>'


def stacked(series: Sequence[Series]) -> list[tuple[Series, Points]]:
    """Lift each series onto those before it; the topmost is drawn first."""
    sums: dict[float, float] = {}
    lifted: list[tuple[Series, Points]] = []
    for one in series:
        below = [(when, sums.get(when, 0.0)) for when, _ in one.points]
        for when, value in one.points:
            sums[when] = sums.get(when, 0.0) + value
        lifted.append((Series(one.name, one.color, [(when, sums[when]) for when, _ in one.points]), below))
    return lifted[::-1]


def _range(panel: Panel, layers: Sequence[tuple[Series, Points]]) -> tuple[float, float]:
    values = [value for one, _ in layers for _, value in one.points]
    least = min(values, default=0.0) if panel.least is None else panel.least
    most = max(values, default=1.0)
    if panel.most is not None and most > 0.5 * panel.most:
        most = panel.most
    return least, most * 1.06 if most > least and most != panel.most else max(most, least + 1e-9 + (most == least))


def _grid(frame: Frame, panel: Panel) -> str:
    lines = []
    for value in ticks(frame.least, frame.most, panel.unit):
        y = frame.y(value)
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{frame.width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">'
            f"{escape(shown(value, panel.unit))}</text>"
        )
    for part in range(1, 4):
        when = frame.begin + part * (frame.end - frame.begin) / 4
        clock = time.strftime("%H:%M:%S", time.gmtime(when))
        lines.append(
            f'<text class="tick" x="{frame.x(when):.1f}" y="{frame.height - 5}" text-anchor="middle">{clock}</text>'
        )
    return "".join(lines)


def _layer(frame: Frame, one: Series, below: Points, filled: bool) -> str:  # noqa: FBT001  # one of two looks
    if not one.points:
        return ""
    above = " L".join(f"{frame.x(when):.1f},{frame.y(value):.1f}" for when, value in one.points)
    back = " L".join(f"{frame.x(when):.1f},{frame.y(max(value, frame.least)):.1f}" for when, value in reversed(below))
    area = f'<path d="M{above} L{back} Z" fill="{one.color}" fill-opacity="{0.5 if filled else 0.07}"/>'
    return f'{area}<path d="M{above}" fill="none" stroke="{one.color}" stroke-width="1.4" stroke-linejoin="round"/>'


def color_of(value: float, steps: Sequence[Step]) -> str:
    """The color that a value has by the steps of its panel."""
    reached = [step.color for step in steps if step.value is None or value >= step.value]
    return reached[-1] if reached else "#d5dbe5"


def spark(one: Series, color: str, times: tuple[float, float], size: tuple[float, float]) -> str:
    """The line below a single number."""
    values = [value for _, value in one.points]
    least, most = min(values), max(values)
    spread = (most - least) or 1.0

    def place(when: float, value: float) -> str:
        x = (when - times[0]) / (times[1] - times[0]) * size[0]
        return f"{x:.1f},{size[1] - 2 - (value - least) / spread * (size[1] - 6):.1f}"

    line = " L".join(place(when, value) for when, value in one.points)
    first, last = (place(when, 0).split(",")[0] for when in (one.points[0][0], one.points[-1][0]))
    return (
        f'<svg class="spark" width="{size[0]:.0f}" height="{size[1]:.0f}">'
        f'<path d="M{line} L{last},{size[1]:.0f} L{first},{size[1]:.0f} Z" fill="{color}" fill-opacity="0.12"/>'
        f'<path d="M{line}" fill="none" stroke="{color}" stroke-opacity="0.8"/></svg>'
    )
