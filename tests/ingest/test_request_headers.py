"""Headers as clients really send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.request_headers import (
    Preferences,
    choose,
    is_clearly_not_json,
    is_idempotency_key,
    preferences,
    wants_problem,
)

FORMS = ("application/json", "application/x-ndjson", "text/csv")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Preferences()),
        (["handling=lenient"], Preferences(lenient=True)),
        (["Handling = Lenient; x=y, wait=10"], Preferences(lenient=True, wait_seconds=10)),
        (['handling="lenient"'], Preferences(lenient=True)),
        (["handling=strict", "handling=lenient"], Preferences()),
        (["wait=0"], Preferences(wait_seconds=0)),
        (["wait=1000000"], Preferences(wait_seconds=60)),
        (["wait"], Preferences()),
        (["wait=-1"], Preferences()),
        (["wait=1e3"], Preferences()),
        (["wait=" + "9" * 5000], Preferences()),
        (["respond-async,,=,;"], Preferences()),
    ],
)
def test_preferences_that_are_understood_are_read_and_others_ignored(lines: list[str], expected: Preferences) -> None:
    assert preferences(lines) == expected


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ([], 0),
        ([""], 0),
        (["*/*"], 0),
        (["text/csv"], 2),
        (["text/*"], 2),
        (["application/x-ndjson, */*;q=0.1"], 1),
        (["text/csv;q=0.2", "application/json;q=0.3"], 0),
        (["application/*;q=0.5, application/json;q=0"], 1),
        (["text/csv;charset=utf-8;q=1.0"], 2),
        (["image/png"], 0),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], 0),
        (["application/problem+json"], 0),
        (["text/csv;q=banana"], 0),
    ],
)
def test_the_form_that_is_liked_most_is_chosen(accept: list[str], form: int) -> None:
    assert choose(accept, FORMS) == form


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (["application/problem+json"], True),
        (["application/json, APPLICATION/problem+json;q=0.5"], True),
        (["application/problem+json;q=0"], False),
        (["*/*"], False),
        ([], False),
    ],
)
def test_problem_details_are_for_who_names_them(accept: list[str], *, wanted: bool) -> None:
    assert wants_problem(accept) == wanted


@given(lines=st.lists(st.text(max_size=60), max_size=3))
def test_no_header_is_too_odd_to_read(lines: list[str]) -> None:
    assert preferences(lines).wait_seconds in {None, *range(61)}
    assert choose(lines, FORMS) in range(3)
    assert wants_problem(lines) in {True, False}
    assert is_clearly_not_json("".join(lines)) in {True, False}


def test_an_idempotency_key_is_1_to_255_printable_ascii_characters() -> None:
    assert all(map(is_idempotency_key, ["a", " ", "~" * 255, '"quoted"']))
    assert not any(map(is_idempotency_key, ["", "a" * 256, "a\n", "\x7f", "\xe9", "\t"]))
