from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.problems import FetchProblem
from services.classifier.retrying import pause_seconds, retry_after_seconds

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def problem(*, may_pass: bool = True, retry_after: float | None = None) -> FetchProblem:
    return FetchProblem("fetch_http_status", "", may_pass=may_pass, retry_after_seconds=retry_after)


@given(st.floats(0, 0.999), st.integers(0, 1))
def test_pauses_grow_and_differ(chance: float, retries: int) -> None:
    pause = pause_seconds(problem(), retries, 60, lambda: chance)
    assert pause is not None
    assert 0.25 * 2**retries <= pause < 0.5 * 2**retries


@given(st.floats(0.1, 900), st.floats(0, 0.999))
def test_a_host_is_never_asked_earlier_than_it_said(retry_after: float, chance: float) -> None:
    pause = pause_seconds(problem(retry_after=retry_after), 0, 1000, lambda: chance)
    assert pause is not None
    assert pause >= retry_after


def test_there_is_an_end_of_tries() -> None:
    assert pause_seconds(problem(), 2, 60, lambda: 0) is None
    assert pause_seconds(problem(may_pass=False), 0, 60, lambda: 0) is None
    assert pause_seconds(problem(), 0, 0.1, lambda: 0) is None
    assert pause_seconds(problem(retry_after=10), 0, 9, lambda: 0) is None
    assert pause_seconds(problem(retry_after=1e9), 0, 3600, lambda: 0) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ((NOW + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 90),
        ((NOW - timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 5000, None),
        ("\u0661", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_a_time_to_try_again_is_read_in_both_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds
