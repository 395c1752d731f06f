"""Whose turn it is, when many owners want the same thing. Pure but for `Turns`, which waits."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class RoundRobin(Generic[Item]):
    """Items of many owners, handed out one of each owner in turn; an owner's own stay in order.

    >>> line = RoundRobin[int]()
    >>> for owner, item in [("a", 1), ("a", 2), ("a", 3), ("b", 4)]:
    ...     line.put(owner, item)
    >>> [line.take() for _ in range(4)]
    [('a', 1), ('b', 4), ('a', 2), ('a', 3)]
    """

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[Item]] = OrderedDict()  # the first owner is next

    def put(self, owner: str, item: Item) -> None:
        """Add an item at the end of its owner's line."""
        self._lines.setdefault(owner, deque()).append(item)

    def take(self, may: Callable[[str], bool] = lambda _: True) -> tuple[str, Item] | None:
        """Take the next item of the first owner in turn that may have one, or None."""
        for owner in self._lines:
            if may(owner):
                return owner, self._next_of(owner)
        return None

    def _next_of(self, owner: str) -> Item:
        line = self._lines[owner]
        item = line.popleft()
        if line:
            self._lines.move_to_end(owner)
        else:
            del self._lines[owner]
        return item

    def drop(self, unwanted: Callable[[Item], bool]) -> list[Item]:
        """Take out all items that are unwanted, and give them."""
        dropped = []
        for owner, line in list(self._lines.items()):
            dropped += [item for item in line if unwanted(item)]
            kept = deque(item for item in line if not unwanted(item))
            if kept:
                self._lines[owner] = kept
            else:
                del self._lines[owner]
        return dropped


class Turns:
    """A limited number of turns at once; those who wait are served one of each owner in turn.

    Where turns may last long, `leave_some` lets an owner hold no more of them than are free (dynamic thresholds;
    Choudhury and Hahne, 1998): a newcomer finds one, whatever the others wait for.
    """

    def __init__(self, at_once: int, *, leave_some: bool = False) -> None:
        self._free = at_once
        self._leave_some = leave_some
        self._held: Counter[str] = Counter()
        self._waiting = RoundRobin[asyncio.Future[None]]()

    @asynccontextmanager
    async def turn(self, owner: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it until the block ends."""
        await self.begin(owner)
        try:
            yield
        finally:
            self.end(owner)

    @property
    def is_idle(self) -> bool:
        """Say that nobody holds a turn; then nobody waits for one either."""
        return not self._held

    def may_begin(self, owner: str) -> bool:
        """Say whether an owner would get a turn at once."""
        return self._free > (self._held[owner] if self._leave_some else 0)

    async def begin(self, owner: str) -> None:
        """Wait for a turn and hold it."""
        if self.may_begin(owner):
            self._hold(owner)
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(owner, granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.end(owner)
            raise

    def _hold(self, owner: str) -> None:
        self._free -= 1
        self._held[owner] += 1

    def end(self, owner: str) -> None:
        """Give a turn back, to the next who may have it."""
        self._free += 1
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
        while self._free and (waiter := self._waiting.take(self.may_begin)) is not None:
            next_owner, granted = waiter
            if not granted.done():
                self._hold(next_owner)
                granted.set_result(None)
