"""The collector looks at little at once, whatever comes."""

import gc
from collections.abc import Iterator

import pytest

from services.runtime.garbage import collect_garbage_rarely, is_due, note_arrival


@pytest.fixture
def rarely() -> Iterator[list[int]]:
    """How many new containers there were at each look, of those that were kept."""
    threshold, looks = gc.get_threshold(), list[int]()

    def look(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            looks.append(sum(len(gc.get_objects(generation=each)) for each in range(info["generation"] + 1)))

    gc.collect()
    collect_garbage_rarely()
    gc.callbacks.append(look)
    try:
        yield looks
    finally:
        gc.callbacks.remove(look)
        gc.set_threshold(*threshold)
        gc.unfreeze()


def test_new_containers_that_take_the_place_of_others_are_looked_at_as_they_come(rarely: list[int]) -> None:
    """The collector counts how many more there are, and would not come: it would look at all of them one day."""
    kept = [[[number]] for number in range(20_000)]
    gc.collect()
    rarely.clear()
    for number in range(len(kept)):
        kept[number] = [[number]]
        if not number % 10:  # as much as a request may leave
            note_arrival()
    assert len(rarely) > 20
    assert max(rarely) < 5_000


def test_what_is_old_is_looked_at_when_there_is_little_of_it_or_far_too_much() -> None:
    assert [is_due(old, left=0) for old in (500, 19_000, 30_000, 300_000, 3_000_000)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert not is_due(3_000_000, left=2_900_000)  # a replica may know a million inferences
