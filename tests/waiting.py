"""Waiting for a condition, with a deadline."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_for(
    look: Callable[[], Found | None], what: str, timeout_seconds: float = 60.0, pause_seconds: float = 0.05
) -> Found:
    """Look until something is found; fails past the deadline."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None and found is not False:
            return found
        time.sleep(pause_seconds)
    raise AssertionError(f"within {timeout_seconds:g} seconds there was no {what}")


async def eventually(look: Callable[[], object], what: str, timeout_seconds: float = 30.0) -> None:
    """Look until something is so, while the loop goes on; fails past the deadline."""
    deadline = time.monotonic() + timeout_seconds
    while not look():
        assert time.monotonic() < deadline, f"within {timeout_seconds:g} seconds there was no {what}"
        await asyncio.sleep(0.02)
