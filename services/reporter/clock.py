"""The time, as the reporter's decisions use it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def steady_clock() -> Clock:
    """Give a clock that begins at the system's time and then runs evenly, whatever is done to the system's clock."""
    began_at, began = datetime.now(UTC), time.monotonic()
    return lambda: began_at + timedelta(seconds=time.monotonic() - began)
