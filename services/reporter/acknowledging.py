"""Which records may be acknowledged: those whose writes are durable, and all before them in their partition. Pure.

Faust acknowledges a record when its handler returns, though the table writes of it still wait to be sent; it commits
past a record that was acknowledged out of order; and while partitions come and go it may drop one on the way to its
handler. Each would lose a result for ever.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Partition = tuple[str, int]
"""Name of a topic, and number of one of its partitions."""
Acknowledge = Callable[[], object]


@dataclass(eq=False)
class _Work:
    offset: int
    acknowledge: Acknowledge
    written_at: float = 0.0
    is_done: bool = False


@dataclass(eq=False)
class _Queue:
    open: list[_Work] = field(default_factory=list)
    position: int | None = None


class Acknowledgements:
    """The records in work.

    >>> acknowledged = []
    >>> records = Acknowledgements()
    >>> first = records.take(("topic", 0), 5, lambda: acknowledged.append(5))
    >>> second = records.take(("topic", 0), 6, lambda: acknowledged.append(6))
    >>> second()
    >>> acknowledged
    []
    >>> first()
    >>> acknowledged, records.position(("topic", 0))
    ([5, 6], 7)
    """

    def __init__(self) -> None:
        self._queues: dict[Partition, _Queue] = {}

    def take(
        self, partition: Partition, offset: int, acknowledge: Acknowledge, written_at: float = 0.0
    ) -> Callable[[], None]:
        """Note that work on a record begins; what is returned is to be called once its writes are durable."""
        queue = self._queues.setdefault(partition, _Queue())
        work = _Work(offset, acknowledge, written_at)
        queue.open.append(work)

        def done() -> None:
            work.is_done = True
            if self._queues.get(partition) is queue:  # else it is read again, here or elsewhere
                _acknowledge(queue)

        return done

    def expected(self, partition: Partition) -> int | None:
        """Give the offset after the last record that was taken; None where none was so far."""
        queue = self._queues.get(partition)
        if queue is None:
            return None
        return queue.open[-1].offset + 1 if queue.open else queue.position

    def forget(self) -> None:
        """Acknowledge nothing of what is in work now: the partitions may have gone to another process."""
        self._queues.clear()

    def position(self, partition: Partition) -> int | None:
        """Give the offset after the last acknowledged record; None where none was so far."""
        queue = self._queues.get(partition)
        return queue.position if queue else None

    def in_work(self) -> Mapping[str, int]:
        """Count the records in work, by topic."""
        found: Counter[str] = Counter()
        for (topic, _), queue in self._queues.items():
            found[topic] += len(queue.open)
        return found

    def oldest_at(self, partition: Partition) -> float | None:
        """Say when the oldest record in work was written; None where there is none."""
        queue = self._queues.get(partition)
        return queue.open[0].written_at if queue and queue.open else None


def _acknowledge(queue: _Queue) -> None:
    while queue.open and queue.open[0].is_done:
        work = queue.open.pop(0)
        work.acknowledge()
        queue.position = work.offset + 1


class CatchingUp:
    """Says when what lay in a partition's log at the first question was read; with a limit to the patience.

    A batch whose deadline passed while no reporter ran must not end before the results that wait in the log are read.
    """

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._asked: dict[str, tuple[float, int]] = {}

    def forget(self) -> None:
        """Begin anew."""
        self._asked.clear()

    def is_reached(self, name: str, now: float, end: int | None, position: int | None) -> bool:
        """Say it for one asker; `end` is the log's end, None while it is not known."""
        if end is None:
            return False
        asked_at, target = self._asked.setdefault(name, (now, end))
        is_reached = (position or 0) >= target or now - asked_at > self._patience_seconds
        if is_reached:
            self._asked.pop(name, None)
        return is_reached


class Watch:
    """Finds partitions that do not move although records wait in them."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._seen: dict[Partition, tuple[object, float]] = {}

    def stuck(self, now: float, waiting: Mapping[Partition, object]) -> list[Partition]:
        """Say which partitions did not move for too long.

        `waiting` holds those in which records wait, with whatever changes when something moves.
        """
        self._seen = {
            partition: self._seen[partition] if self._seen.get(partition, (None,))[0] == state else (state, now)
            for partition, state in waiting.items()
        }
        return [partition for partition, (_, since) in self._seen.items() if now - since > self._patience_seconds]


class Unbroken:
    """Says of each record of a partition whether it is the next one; a hole that stays is the log's own.

    Of a producer's transactions offsets are left out, and what is older than a topic's retention is gone.
    """

    TRIES: Final = 5

    def __init__(self) -> None:
        self._next: dict[Partition, int] = {}
        self._tries: dict[Partition, int] = {}

    def begin(self, positions: Mapping[Partition, int]) -> None:
        """Begin with these partitions at these offsets; what is known of others stays."""
        self._next.update(positions)
        self._tries.clear()

    def forget(self, partition: Partition) -> None:
        """Let no record of a partition pass until its position is known again."""
        self._next.pop(partition, None)

    def knows(self, partition: Partition) -> bool:
        """Say whether a partition has begun."""
        return partition in self._next

    def follows(self, partition: Partition, offset: int) -> int | None:
        """Let a record pass that follows those that passed, and give the offset after the last of them; else None."""
        expected = self._next.get(partition)
        if expected != offset and not self._is_at_a_hole(partition, expected, offset):
            return None
        self._next[partition] = offset + 1
        return expected

    def _is_at_a_hole(self, partition: Partition, expected: int | None, offset: int) -> bool:
        if expected is None or offset < expected or self._tries.get(partition, 0) < self.TRIES:
            return False
        self._tries.pop(partition)
        return True

    def missing(self, partition: Partition) -> int | None:
        """Give the offset to read again, after a record that did not pass; counts as a try."""
        expected = self._next.get(partition)
        if expected is not None:
            self._tries[partition] = self._tries.get(partition, 0) + 1
        return expected
