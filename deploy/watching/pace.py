"""How fast time passes in the rules: as it does in production, or faster, for a run in which alerts are to be seen."""

import re
from dataclasses import dataclass
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds_of(duration: str) -> int:
    """Read a duration of one unit.

    >>> seconds_of("5m")
    300
    """
    match = re.fullmatch(r"(\d+)([smhd])", duration)
    if match is None:
        raise ValueError(f"{duration} is no duration of one unit, such as 5m")
    return int(match[1]) * _SECONDS[match[2]]


@dataclass(frozen=True)
class Pace:
    """Every duration of the rules divided by `factor`: windows, how long a condition must last, ages compared with."""

    factor: int = 1

    def window(self, duration: str) -> str:
        """Write a duration as Prometheus reads it.

        >>> Pace().window("5m"), Pace(60).window("5m"), Pace(60).window("30d")
        ('5m', '5000ms', '43200000ms')
        """
        if self.factor == 1:
            return duration
        return f"{seconds_of(duration) * 1000 // self.factor}ms"

    def seconds(self, duration: str) -> str:
        """Write a duration as a number of seconds to compare an age with.

        >>> Pace().seconds("5m"), Pace(60).seconds("15s")
        ('300', '0.25')
        """
        return f"{seconds_of(duration) / self.factor:g}"


PRODUCTION: Final = Pace()
