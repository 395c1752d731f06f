"""Numbers as people read them on a panel: by unit, short."""

import math
from collections.abc import Sequence
from typing import Final

_TIMES: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
_SIZES: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_COUNTS: Final = ((1e9, " G"), (1e6, " M"), (1e3, " k"))
_SUFFIXES: Final = {"ops": "/s", "reqps": "/s", "Bps": "/s"}


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """Write a value with its unit.

    >>> shown(0.0123, "s"), shown(0.5, "percentunit"), shown(12.34, "ops"), shown(3_145_728, "bytes")
    ('12.3 ms', '50 %', '12.3/s', '3 MiB')
    """
    if unit == "percentunit":
        return f"{_rounded(100 * value, decimals)} %"
    if unit == "s":
        return _scaled(value, _TIMES, decimals)
    if unit in {"bytes", "Bps"}:
        return _scaled(value, (*_SIZES, (1, "B")), decimals) + _SUFFIXES.get(unit, "")
    for size, name in _COUNTS:
        if abs(value) >= size:
            return f"{_rounded(value / size, decimals)}{name}{_SUFFIXES.get(unit, '')}"
    return _rounded(value, decimals) + _SUFFIXES.get(unit, "")


def _scaled(value: float, scales: Sequence[tuple[float, str]], decimals: int | None) -> str:
    for size, name in scales:
        if abs(value) >= size:
            return f"{_rounded(value / size, decimals)} {name}"
    return f"{_rounded(value, decimals)} {'s' if scales is _TIMES else 'B'}" if value else "0"


def _rounded(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def ticks(least: float, most: float, unit: str = "short", about: int = 4) -> list[float]:
    """Values that part a range and are round in the unit in which they are shown.

    >>> ticks(0, 10), ticks(0, 0.7), ticks(0, 150, "s")
    ([0, 5, 10], [0.0, 0.2, 0.4, 0.6], [0.0, 60.0, 120.0])
    """
    scales = _TIMES if unit == "s" else _SIZES if unit in {"bytes", "Bps"} else ()
    scale = next((size for size, _ in scales if most >= size), 1)
    raw = (most - least) / scale / about
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.ceil(least / scale / step - 1e-9), math.floor(most / scale / step + 1e-9)
    return [round(number * step * scale, 12) for number in range(first, last + 1)]
