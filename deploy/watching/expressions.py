"""Reading PromQL: what an expression selects, and in which functions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import promql_parser

_INSIDE: Final = ("lhs", "rhs", "expr", "args", "param", "vector_selector")
GRAFANAS_OWN: Final = ("$__rate_interval", "$__range")


@dataclass(frozen=True)
class Selector:
    """One selection of series, with the functions around it, the nearest last."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator and value of each."""
    functions: tuple[str, ...]


def substituted(expression: str, durations: Mapping[str, str]) -> str:
    """Write durations in the place of Grafana's own variables.

    >>> substituted("rate(x[$__rate_interval])", {"$__rate_interval": "5m"})
    'rate(x[5m])'
    """
    for variable, duration in durations.items():
        expression = expression.replace(variable, duration)
    return expression


def selectors(expression: str) -> list[Selector]:
    """Find all selections of an expression; raises ValueError where it is none.

    >>> [selector.name for selector in selectors("rate(x_total[$__rate_interval]) / y")]
    ['x_total', 'y']
    """
    readable = substituted(expression, dict.fromkeys(GRAFANAS_OWN, "5m"))
    return list(_walk(promql_parser.parse(readable), ()))


def _walk(node: Any, functions: tuple[str, ...]) -> Iterator[Selector]:
    if isinstance(node, promql_parser.VectorSelector):
        yield Selector(node.name or "", tuple(_matchers(node)), functions)
    if isinstance(node, promql_parser.Call):
        functions = (*functions, node.func.name)
    for inside in _INSIDE:
        found = getattr(node, inside, None)
        for child in found if isinstance(found, list) else [found]:
            if child is not None:
                yield from _walk(child, functions)


def _matchers(node: promql_parser.VectorSelector) -> Iterator[tuple[str, str, str]]:
    operators = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    for matcher in node.matchers.matchers:
        yield matcher.name, operators[str(matcher.op).rpartition(".")[2]], matcher.value
