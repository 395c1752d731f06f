"""How many bytes of images one process holds at once, shared fairly between inferences."""

import asyncio
from collections import Counter
from typing import Self


class NoMemoryError(Exception):
    """The bytes cannot be had now; whoever asked gives back what it holds and waits for all that it may need."""


class Memory:
    """A budget of bytes; an owner may hold no more than what is left free for others.

    That rule (dynamic thresholds; Choudhury and Hahne, 1998) lets one owner use half of an idle budget, and leaves
    something for a newcomer however many owners there are.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self._free = capacity_bytes
        self._held: Counter[str] = Counter()
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []

    @property
    def free_bytes(self) -> int:
        """Bytes that nobody holds."""
        return self._free

    def lease(self, owner: str) -> "Lease":
        """Begin to hold bytes for an owner, none at first."""
        return Lease(self, owner)

    def take(self, owner: str, count: int) -> bool:
        """Take bytes where the owner may have them now; an owner that holds none may take any number that is free."""
        held = self._held[owner]
        if count > self._free or (held and held + count > self._free):
            return False
        self._free -= count
        self._held[owner] = held + count
        return True

    def give(self, owner: str, count: int) -> None:
        """Give bytes back, and let those go on who wait for them, the longest waiting first."""
        self._free += count
        self._held[owner] -= count
        if self._held[owner] <= 0:
            del self._held[owner]
        still = []
        for waiter in self._waiting:
            waiting_owner, wanted, granted = waiter
            if granted.done():
                continue
            if self.take(waiting_owner, wanted):
                granted.set_result(None)
            else:
                still.append(waiter)
        self._waiting = still

    async def wait(self, owner: str, count: int) -> None:
        """Take bytes as soon as the owner may have them."""
        if self.take(owner, count):
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((owner, count, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.give(owner, count)
            raise


class Lease:
    """The bytes that one image holds, from their arrival to its result."""

    def __init__(self, memory: Memory, owner: str) -> None:
        self._memory = memory
        self.owner = owner
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def grow_to(self, count: int) -> None:
        """Hold at least this many bytes; raises `NoMemoryError`."""
        more = count - self._taken
        if more > 0:
            if not self._memory.take(self.owner, more):
                raise NoMemoryError
            self._taken = count

    async def wait_for(self, count: int) -> None:
        """Give back what is held and wait, with empty hands, for this many bytes."""
        self.release()
        await self._memory.wait(self.owner, count)
        self._taken = count

    def shrink_to(self, count: int) -> None:
        """Give back what is held above this many bytes."""
        if self._taken > count:
            self._memory.give(self.owner, self._taken - count)
            self._taken = count

    def release(self) -> None:
        """Give all back."""
        self.shrink_to(0)
