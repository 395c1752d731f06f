"""When a fetch is tried again, and after how long a pause. Pure: time and chance are arguments."""

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from services.classifier.problems import FetchProblem

RETRIES: Final = 2
PASSING_STATUSES: Final = frozenset({429, *range(500, 600)} - {501, 505})
"""Of those that a host may answer with otherwise a moment later; what it does not implement, it never does."""
_FIRST_PAUSE_SECONDS: Final = 0.5


def pause_seconds(
    problem: FetchProblem, retries: int, remaining_seconds: float, chance: Callable[[], float]
) -> float | None:
    """Say how long to wait before the next try, or None where there is none; `chance` gives numbers in [0, 1).

    The pause is the one that the host asked for, else it doubles; a part of it is chance, so that what failed together
    does not come back together. A pause that does not fit into the time that remains ends the tries.
    """
    if not problem.may_pass or retries >= RETRIES:
        return None
    grown = _FIRST_PAUSE_SECONDS * 2**retries
    pause = (problem.retry_after_seconds or 0.5 * grown) + 0.5 * grown * chance()
    return pause if pause < remaining_seconds else None


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read `Retry-After`, seconds or a date (RFC 9110, section 10.2.3); None where it is neither.

    >>> retry_after_seconds("7", datetime.now())
    7.0
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:  # longer than any batch lives
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
