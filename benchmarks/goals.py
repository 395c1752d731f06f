"""Figures beside what was promised, as Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A row of the table of goals; higher is better unless it is said."""

    name: str
    value: float
    must: float
    aim: float
    lower_is_better: bool = False

    @property
    def verdict(self) -> str:
        """Say what was reached.

        >>> Measure("accuracy", 0.9, must=0.8, aim=0.95).verdict, Measure("error", 0.9, 0.8, 0.5, True).verdict
        ('must', 'missed by 0.100')
        """
        sign = -1 if self.lower_is_better else 1
        value = round(self.value, 3)
        if sign * value >= sign * self.aim:
            return "aim"
        return "must" if sign * value >= sign * self.must else f"missed by {abs(value - self.must):.3f}"


def goals_table(goals: Iterable[Measure]) -> str:
    rows = [(goal.name, goal.value, goal.must, goal.aim, goal.verdict) for goal in goals]
    return table(("measure", "measured", "must", "aim", "reached"), rows)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *[[_cell(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _cell(cell: object) -> str:
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)
