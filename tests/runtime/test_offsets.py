from hypothesis import given
from hypothesis import strategies as st

from services.runtime.offsets import ContiguousOffsets


@given(st.permutations(range(100, 120)), st.integers(0, 20))
def test_nothing_unfinished_is_ever_committed(order: list[int], finished: int) -> None:
    offsets = ContiguousOffsets(first=100)
    for offset in range(100, 120):
        offsets.take(offset)
    done = set()
    for offset in order[:finished]:
        offsets.finish(offset)
        done.add(offset)
        position = offsets.committable()
        assert position is None or done.issuperset(range(100, position))
        if position is not None:
            offsets.committed(position)
            assert offsets.committable() is None
    expected = next((offset for offset in range(100, 120) if offset not in done), 120)
    assert offsets.committable() in (None, expected)


def test_when_all_is_done_the_end_is_committed() -> None:
    offsets = ContiguousOffsets(first=7)
    offsets.take(7)
    offsets.take(9)  # offsets of a compacted or transactional log have holes
    offsets.finish(9)
    offsets.finish(7)
    assert offsets.committable() == 10
