"""The list of an owner's inferences, page by page, from any replica."""

from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.cursors import CursorError, cursor_of, position_of
from tests.ingest.calling import Caller, eventually, images

POSITION = (datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC), "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10")
CURSOR = cursor_of(POSITION, "secret")


def test_a_cursor_leads_back_to_its_position_for_the_key_that_got_it() -> None:
    assert position_of(CURSOR, "secret") == POSITION
    with pytest.raises(CursorError):
        position_of(CURSOR, "other")


@given(place=st.integers(0, len(CURSOR) - 1), letter=st.characters(codec="utf-8"))
def test_a_cursor_that_was_tampered_with_is_refused(place: int, letter: str) -> None:
    tampered = CURSOR[:place] + letter + CURSOR[place + 1 :]
    try:
        assert position_of(tampered, "secret") == POSITION  # the same bits, written another way
    except CursorError:
        assert tampered != CURSOR


@given(text=st.text(max_size=200))
def test_no_text_is_taken_for_a_cursor(text: str) -> None:
    with pytest.raises(CursorError):
        position_of(text, "secret")


@pytest.mark.system
async def test_an_owner_pages_through_its_batches_of_all_keys_newest_first(
    caller: Caller, issued: dict[str, str], owner: int
) -> None:
    second_key = caller.using(issued[f"{owner}b"])
    submitted = []
    for number in range(7):
        answer = await (caller if number % 2 else second_key).on(number).submit(images(1))
        submitted.append(answer.body["inference_id"])

    async def known(replica: int) -> bool:
        return len((await caller.on(replica).get("/inferences")).body["inferences"]) == 7

    for replica in range(3):
        await eventually(partial(known, replica))
    found, cursor = [], ""
    for replica in range(4):
        page = (await caller.on(replica).get(f"/inferences?limit=2{cursor}")).body
        found += [each["id"] for each in page["inferences"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert found == submitted[::-1]
    last = (await caller.get("/inferences?limit=1")).body["inferences"][0]
    assert last == (await caller.get(f"/inference/{submitted[-1]}/status")).body


@pytest.mark.system
async def test_an_owner_without_batches_has_an_empty_list(caller: Caller) -> None:
    assert (await caller.get("/inferences")).body == {"inferences": [], "next_cursor": None}


@pytest.mark.system
@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=", "limit=1e1", "cursor=", "cursor=%00x"])
async def test_what_is_no_page_is_refused(caller: Caller, query: str) -> None:
    answer = await caller.get(f"/inferences?{query}")
    assert (answer.status, answer.body["error"]) == (400, "Bad Request")
    assert answer.body["message"].startswith(f"Invalid data. The {query.partition('=')[0]} ")
