"""Whose turn it is, when many owners want the same thing. Pure but for `Turns`, which waits."""

import asyncio
from collections import OrderedDict, deque
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
    """A limited number of turns at once; those who wait are served one of each owner in turn."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting = RoundRobin[asyncio.Future[None]]()

    @asynccontextmanager
    async def turn(self, owner: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it until the block ends."""
        await self._begin(owner)
        try:
            yield
        finally:
            self._end()

    async def _begin(self, owner: str) -> None:
        if self._free > 0:
            self._free -= 1
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(owner, granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._end()
            raise

    def _end(self) -> None:
        while (waiter := self._waiting.take()) is not None:
            granted = waiter[1]
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1
