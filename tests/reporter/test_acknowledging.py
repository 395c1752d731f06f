"""What is acknowledged, when a partition is caught up with, and when it stands still."""

from hypothesis import given
from hypothesis import strategies as st

from services.reporter.acknowledging import Acknowledgements, CatchingUp, Unbroken, Watch

PARTITION = ("topic", 3)


@given(st.permutations(range(8)))
def test_records_are_acknowledged_in_their_order_in_whatever_order_they_end(order: list[int]) -> None:
    acknowledged: list[int] = []
    records = Acknowledgements()

    def acknowledge(offset: int) -> None:
        acknowledged.append(offset)

    ends = [records.take(PARTITION, offset, lambda at=offset: acknowledge(at)) for offset in range(8)]
    done: set[int] = set()
    for offset in order:
        ends[offset]()
        done.add(offset)
        expected = next((number for number in range(9) if number not in done), 8)
        assert acknowledged == list(range(expected))
        assert (records.position(PARTITION) or 0) == expected


def test_the_next_offset_is_known_so_that_a_record_that_was_dropped_is_missed() -> None:
    records = Acknowledgements()
    assert records.expected(PARTITION) is None
    first = records.take(PARTITION, 5, lambda: None)
    records.take(PARTITION, 6, lambda: None)
    assert records.expected(PARTITION) == 7
    first()
    assert (records.expected(PARTITION), records.position(PARTITION)) == (7, 6)
    records.forget()
    assert records.expected(PARTITION) is None


def test_what_was_read_under_an_older_assignment_is_never_acknowledged() -> None:
    acknowledged: list[int] = []
    records = Acknowledgements()
    old = records.take(PARTITION, 5, lambda: acknowledged.append(5))
    records.forget()
    old()
    records.take(PARTITION, 5, lambda: acknowledged.append(50))()
    assert acknowledged == [50]


def read(unbroken: Unbroken, *fetches: list[int]) -> list[int]:
    """Read fetches that are answered one after another; a hole is read again before the next one."""
    passed: list[int] = []
    for fetch in fetches:
        holes = [offset for offset in fetch if not _passed(unbroken, offset, passed)]
        if holes:
            unbroken.missing(PARTITION)
    return passed


def _passed(unbroken: Unbroken, offset: int, passed: list[int]) -> bool:
    if unbroken.follows(PARTITION, offset) is not None:
        passed.append(offset)
        return True
    return False


def test_a_late_answer_of_a_fetch_does_not_hide_the_records_before_it() -> None:
    unbroken = Unbroken()
    assert read(unbroken, [7, 8]) == []  # the position is not known yet
    unbroken.begin({PARTITION: 5})
    assert read(unbroken, [7, 8], [5, 6, 7], [7, 8]) == [5, 6, 7, 8]
    unbroken.forget(PARTITION)
    assert read(unbroken, [9]) == []


def test_a_hole_of_the_log_is_passed_over_after_some_tries() -> None:
    unbroken = Unbroken()
    unbroken.begin({PARTITION: 0})
    assert read(unbroken, [0, 1], *[[3, 4]] * Unbroken.TRIES) == [0, 1]
    assert read(unbroken, [3, 4, 6]) == [3, 4]


def test_a_partition_is_caught_up_with_at_the_end_that_it_had_at_the_first_question() -> None:
    catching_up = CatchingUp(patience_seconds=60)
    assert not catching_up.is_reached("a", 0, None, 0)
    assert not catching_up.is_reached("a", 1, 10, 4)
    assert not catching_up.is_reached("a", 2, 20, 9)
    assert catching_up.is_reached("a", 3, 30, 10)
    assert catching_up.is_reached("empty", 3, 0, None)
    assert not catching_up.is_reached("stuck", 3, 10, 4)
    assert catching_up.is_reached("stuck", 64, 10, 4)


def test_a_partition_stands_still_when_nothing_moves_while_records_wait() -> None:
    watch = Watch(patience_seconds=60)
    assert watch.stuck(0, {PARTITION: 5}) == []
    assert watch.stuck(50, {PARTITION: 6}) == []
    assert watch.stuck(100, {PARTITION: 6}) == []
    assert watch.stuck(105, {}) == []  # nothing waited
    assert watch.stuck(110, {PARTITION: 6}) == []
    assert watch.stuck(171, {PARTITION: 6}) == [PARTITION]
