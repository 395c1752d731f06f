"""Little in each turn of the event loop, however much there is to do: so long everyone waits for the others.

asyncio takes all sockets that are ready, and calls what waits for a time only after the last one: 4,000 connections
that send, or end, at the same moment would hold the rest up for as long as that takes.
"""

import asyncio
import select
import selectors
import time
from collections import deque
from collections.abc import Generator, Iterable
from typing import Final, Protocol, TypeVar

from services.runtime.garbage import note_arrival

_T = TypeVar("_T")

AT_ONCE: Final = 4
"""Sockets that are looked at in one turn, and requests that begin in it: each takes 1 ms at most."""


class _FewAtOnce:
    """An epoll that tells of a few sockets; the kernel puts these behind the others that are ready."""

    def __init__(self) -> None:
        epoll = select.epoll()
        self._poll = epoll.poll
        self.register, self.unregister, self.modify = epoll.register, epoll.unregister, epoll.modify
        self.close, self.fileno = epoll.close, epoll.fileno

    def poll(self, timeout: float, _: int) -> list[tuple[int, int]]:
        """Wait, as epoll does, for all that are registered."""
        return self._poll(timeout, AT_ONCE)


def fair_loop() -> asyncio.AbstractEventLoop:
    """Make the event loop of a service; where there is no epoll, it is as asyncio makes it."""
    if not hasattr(selectors, "EpollSelector"):
        return asyncio.new_event_loop()

    class Selector(selectors.EpollSelector):
        _selector_cls = _FewAtOnce

    return asyncio.SelectorEventLoop(Selector())


class Turnstile:
    """Lets a few in with each turn of the event loop, first come, first served.

    What comes without a look at a socket is not held back by the loop: requests that were sent one behind the other.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._let_in = 0

    async def enter(self) -> None:
        """Wait for one's turn, where too many have come before."""
        if self._let_in < AT_ONCE:
            self._let_one_in()
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _let_one_in(self) -> None:
        note_arrival()
        if not self._let_in:
            asyncio.get_running_loop().call_soon(self._begin_turn)
        self._let_in += 1

    def _begin_turn(self) -> None:
        self._let_in = 0
        while self._waiting and self._let_in < AT_ONCE:
            waiter = self._waiting.popleft()
            if not waiter.done():  # its client may be gone
                self._let_one_in()
                waiter.set_result(None)


class Wakes(Protocol):
    """What somebody waits for."""

    def set(self) -> None:
        """Wake whoever waits."""


def wake(sleepers: Iterable[Wakes]) -> None:
    """Wake a few, and the others in the next turns of the event loop."""
    waiting = deque(sleepers)
    for _ in range(min(AT_ONCE, len(waiting))):
        waiting.popleft().set()
    if waiting:
        asyncio.get_running_loop().call_soon(wake, waiting)


class Gate:
    """Closed at first; when it opens, those who wait go through a few with each turn of the event loop."""

    def __init__(self) -> None:
        self._is_open = False
        self._waiting: list[asyncio.Event] = []

    def open(self) -> None:
        """Let all through who wait, and who come."""
        self._is_open = True
        wake(self._waiting)
        self._waiting = []

    def close(self) -> None:
        """Let nobody through who comes from now on."""
        self._is_open = False

    async def passed(self) -> None:
        """Wait until it is open."""
        if not self._is_open:
            self._waiting.append(event := asyncio.Event())
            await event.wait()


class Stints:
    """Does long work in pieces, one after the other; after each, others have the loop for as long as that one took."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._over_at = 0.0

    async def do(self, work: Generator[None, None, _T]) -> _T:
        """Do a piece of work, which yields where it may be left for a while."""
        async with self._one_at_a_time:
            while True:
                await asyncio.sleep(self._over_at - time.monotonic())
                began = time.monotonic()
                try:
                    next(work)
                except StopIteration as done:
                    result: _T = done.value
                    return result
                finally:
                    self._over_at = 2 * time.monotonic() - began
