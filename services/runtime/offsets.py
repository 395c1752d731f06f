"""Which offset of a partition may be committed while its records end out of order. Pure."""

from bisect import bisect_left
from collections.abc import Sequence


class ContiguousOffsets:
    """Tracks the offsets that were taken; only what lies before the oldest unfinished one may be committed.

    >>> offsets = ContiguousOffsets(first=5)
    >>> for offset in (5, 6, 7):
    ...     offsets.take(offset)
    >>> offsets.finish(6)
    >>> offsets.committable()
    >>> offsets.finish(5)
    >>> offsets.committable()
    7
    """

    def __init__(self, first: int) -> None:
        self._open: dict[int, float] = {}  # with its time, in the order taken, which is the order of the log
        self._next = first
        self._committed = first

    def take(self, offset: int, written_at: float = 0.0) -> None:
        """Note that work on this offset begins, and when it was written; offsets come in rising order."""
        self._open[offset] = written_at
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """Note that work on this offset has ended."""
        del self._open[offset]

    @property
    def unfinished(self) -> int:
        """How many offsets were taken and have not ended."""
        return len(self._open)

    @property
    def position(self) -> int:
        """The first offset that is not committed."""
        return self._committed

    @property
    def oldest_at(self) -> float | None:
        """When the oldest record that has not ended was written."""
        return next(iter(self._open.values()), None)

    @property
    def ahead(self) -> int:
        """How far the offsets taken reach beyond the one that may be committed."""
        return self._next - next(iter(self._open), self._next)

    def committable(self) -> int | None:
        """Give the offset to commit (the first one not finished), or None where nothing is new."""
        position = next(iter(self._open), self._next)
        return position if position > self._committed else None

    def committed(self, offset: int) -> None:
        """Note that this offset was committed."""
        self._committed = offset


class Highest:
    """Tells records that come again: those of a partition that are not beyond all that came before.

    >>> seen = Highest()
    >>> seen.again(("topic", 0), range(5, 8)), seen.again(("topic", 0), range(6, 10))
    (0, 2)
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[str, int], int] = {}

    def again(self, partition: tuple[str, int], offsets: Sequence[int]) -> int:
        """Count the offsets, in rising order, that came before."""
        end = self._ends.get(partition, 0)
        self._ends[partition] = max(end, offsets[-1] + 1)
        return bisect_left(offsets, end)
