"""Single products are cut into batches by the log alone: who begins again at what was committed cuts the same."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import MAX_BATCH
from services.ingest import cutting
from services.ingest.cutting import Cut, Cutter
from services.ingest.validation import Item
from services.runtime.kafka import Record

WINDOW_SECONDS = 10.0
Place = tuple[str, int]
Made = dict[Place, list[int]]
ENTRIES = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 9_000)), max_size=60)
"""A key, or nobody's word of the time; and how many milliseconds passed."""


def records(entries: Sequence[tuple[str | None, int]]) -> list[tuple[Record, str | None]]:
    """Write a log; now and then its broker's clock goes back, as at a change of leaders."""
    now, log = 1_000_000, []
    for offset, (key_id, pause) in enumerate(entries):
        now += pause if pause % 7 else -pause
        log.append((Record("t", 0, offset, None, None, now / 1000), key_id))
    return log


def product(key_id: str | None) -> tuple[str, Item] | None:
    return (key_id, Item("https://shop.example/0.png", "Shoes")) if key_id else None


def unknown(_: str, __: int) -> None:
    return None


@pytest.mark.parametrize(
    ("traces", "expected"), [(["a", "a"], "a"), (["a", "b"], None), (["a", None], None), ([None, None], None)]
)
def test_a_batch_belongs_to_the_trace_of_all_its_products(traces: list[str | None], expected: str | None) -> None:
    found = [Record("t", 0, offset, None, None, 1000.0, trace) for offset, trace in enumerate(traces)]
    assert Cut("a", MAX_BATCH, is_known=False, records=found).traceparent == expected


def offsets(cut: Cut) -> tuple[Place, list[int]]:
    return (cut.key_id, cut.first), [record.offset for record in cut.records]


def run(cutter: Cutter, log: Sequence[tuple[Record, str | None]], made: Made) -> list[int]:
    """Cut a log, and publish what ends; returns the offset that may be committed after each record."""
    places = []
    for record, key_id in log:
        for cut in cutter.take(record, product(key_id)):
            if not cut.is_known:
                place, taken = offsets(cut)
                assert place not in made, "published twice"
                made[place] = taken
            cut.is_done = True
        place = cutter.committable()
        assert place is not None
        places.append(place)
    return places


def test_a_batch_ends_with_its_window_at_250_and_not_by_other_keys() -> None:
    cutter, made = Cutter(WINDOW_SECONDS, unknown), {}
    run(cutter, records([("a", 1)] * 3 + [("b", 1)] + [("a", 1)] * 250 + [(None, 9_999), (None, 9_999)]), made)
    assert {place: len(taken) for place, taken in made.items()} == {("a", 0): MAX_BATCH, ("b", 3): 1, ("a", 251): 3}


def test_nothing_is_committed_inside_of_a_batch() -> None:
    log = records([("a", 1), ("b", 1)] + [("a", 1)] * 249 + [("b", 1), (None, 9_999), (None, 9_999)])
    places = run(Cutter(WINDOW_SECONDS, unknown), log, {})
    assert set(places[:-2]) == {0}  # that of 250 is done, and reaches across the other one's beginning
    assert places[-1] == len(log)


def test_what_waits_for_its_end_is_due_when_its_window_is_over() -> None:
    cutter = Cutter(WINDOW_SECONDS, unknown)
    assert not cutter.is_due(1e9)
    cutter.take(Record("t", 0, 0, None, None, 1_000), product("a"))
    assert [cutter.is_due(now) for now in (1_000, 1_009.9, 1_010)] == [False, False, True]
    cutter.take(Record("t", 0, 1, None, None, 1_010), None)
    assert not cutter.is_due(1e9)


@given(entries=ENTRIES, data=st.data())
def test_who_begins_again_at_a_committed_offset_cuts_the_same(
    entries: list[tuple[str | None, int]], data: st.DataObject
) -> None:
    log = records(entries)
    whole: Made = {}
    places = run(Cutter(WINDOW_SECONDS, unknown), log, whole)
    begin = data.draw(st.sampled_from([0, *places]))
    again: Made = {}
    run(Cutter(WINDOW_SECONDS, unknown), log[begin:], again)
    assert again == {place: taken for place, taken in whole.items() if taken[0] >= begin}
    assert not [taken for taken in whole.values() if taken[0] < begin <= taken[-1]]


@given(entries=ENTRIES, window=st.floats(1, 30), data=st.data())
def test_over_crashes_and_a_changed_window_each_product_is_published_once(
    entries: list[tuple[str | None, int]], window: float, data: st.DataObject
) -> None:
    log = records([*entries, (None, 100_000), (None, 200_000)])
    made: Made = {}

    def known(key_id: str, offset: int) -> int | None:
        return len(made[key_id, offset]) if (key_id, offset) in made else None

    crashed_at = data.draw(st.integers(1, len(log)))
    places = run(Cutter(WINDOW_SECONDS, known), log[:crashed_at], made)
    begin = data.draw(st.sampled_from([0, *places]))  # the last commit may have been earlier
    run(Cutter(window, known), log[begin:], made)
    published = [offset for taken in made.values() for offset in taken]
    assert sorted(published) == [record.offset for record, key_id in log if key_id]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_OPEN", 5)
    made: Made = {}
    run(Cutter(WINDOW_SECONDS, unknown), records([(name, 1) for name in "abcdefgh"]), made)
    assert set(made) == {(name, offset) for offset, name in enumerate("abcde")}
