"""The time, as the reporter's decisions use it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def _system_time() -> datetime:
    return datetime.now(UTC)


def steady_clock(system: Clock = _system_time, monotonic: Callable[[], float] = time.monotonic) -> Clock:
    """Give a clock that begins at the system's time and then runs evenly, whatever is done to the system's clock."""
    began_at, began = system(), monotonic()
    return lambda: began_at + timedelta(seconds=monotonic() - began)
