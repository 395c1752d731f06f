"""Which offset of a partition may be committed while its records end out of order. Pure."""


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
        self._open: dict[int, None] = {}  # in the order taken, which is the order of the log
        self._next = first
        self._committed = first

    def take(self, offset: int) -> None:
        """Note that work on this offset begins; offsets come in rising order."""
        self._open[offset] = None
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """Note that work on this offset has ended."""
        del self._open[offset]

    @property
    def unfinished(self) -> int:
        """How many offsets were taken and have not ended."""
        return len(self._open)

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
