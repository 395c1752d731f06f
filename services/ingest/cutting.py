"""Cutting a partition of single products into batches, by the log alone: a replay cuts the same way. Pure.

A batch holds products of one key that the broker appended within the same window of its clock, 250 at most. The windows
follow each other without gaps, and all batches of a partition end with theirs, so that sooner or later there is a place
in the log that no batch reaches across. Only such a place may be committed: who begins there begins with nothing open,
as whoever read on from there did.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from schemas.fields import MAX_BATCH
from services.ingest.validation import Item
from services.runtime.kafka import Record

MAX_OPEN: Final = 20_000
"""Products of one partition that wait for the end of their batches; with more, all batches end."""


@dataclass(eq=False)
class Cut:
    """The products of one batch, and the records that they came in."""

    key_id: str
    size: int
    """With so many products it ends."""
    is_known: bool
    """Whether it was published before; then it has the size of then, whatever the windows are now."""
    records: list[Record] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    is_done: bool = False

    @property
    def first(self) -> int:
        """The offset of its first product."""
        return self.records[0].offset

    @property
    def last(self) -> int:
        """The offset of its last product so far."""
        return self.records[-1].offset

    @property
    def traceparent(self) -> str | None:
        """The trace of all its products; None where they have several, or some have none."""
        found = {record.traceparent for record in self.records}
        return found.pop() if len(found) == 1 else None


KnownSize = Callable[[str, int], int | None]
"""How many products the batch of a key that begins at an offset has, where it was published before."""


class Cutter:
    """Cuts one partition; who uses it says of each batch when it is done with it."""

    def __init__(self, window_seconds: float, known_size: KnownSize) -> None:
        self._window_ms = round(window_seconds * 1000)
        self._known_size = known_size
        self._window = 0
        self._open: dict[str, Cut] = {}
        self._held = 0
        self._begun: list[Cut] = []  # in the order of the log; those that may still be read again
        self._next: int | None = None

    def take(self, record: Record, product: tuple[str, Item] | None) -> list[Cut]:
        """Take the next record, of a key's product or of none; returns the batches that it ends."""
        window = round(record.written_at * 1000) // self._window_ms
        ended = self._end() if window != self._window or self._held >= MAX_OPEN else []
        self._window, self._next = window, record.offset + 1
        if product is not None:
            ended += self._add(record, *product)
        return ended

    def committable(self) -> int | None:
        """Give the last offset before which all is done and that no batch reaches across; None before the first."""
        place, reach = self._next, -1
        for cut in self._begun:
            if cut.first > reach:
                place = cut.first
            if not cut.is_done:
                break
            reach = max(reach, cut.last)
        else:
            place = self._next
        self._begun = [cut for cut in self._begun if place is not None and cut.first >= place]
        return place

    def is_due(self, now: float) -> bool:
        """Say whether something waits for the end of a window that is over by this clock."""
        return bool(self._open) and now * 1000 >= (self._window + 1) * self._window_ms

    def _add(self, record: Record, key_id: str, item: Item) -> list[Cut]:
        cut = self._open.get(key_id) or self._begin(key_id, record.offset)
        cut.records.append(record)
        cut.items.append(item)
        self._held += 1
        if len(cut.items) < cut.size:
            return []
        self._held -= cut.size
        return [self._open.pop(key_id)]

    def _begin(self, key_id: str, offset: int) -> Cut:
        known = self._known_size(key_id, offset)
        cut = self._open[key_id] = Cut(key_id, known or MAX_BATCH, known is not None)
        self._begun.append(cut)
        return cut

    def _end(self) -> list[Cut]:
        """End all batches, but those that are known to go on."""
        ended = [cut for cut in self._open.values() if not cut.is_known]
        self._open = {key_id: cut for key_id, cut in self._open.items() if cut.is_known}
        self._held = sum(len(cut.items) for cut in self._open.values())
        return ended
