"""An event loop that takes a few sockets at a time, however many are ready: so long everyone waits for the others.

asyncio takes all of them, and calls what waits for a time or for each other only after the last one: 4,000 connections
that send, or end, at the same moment would hold the rest up for as long as that takes.
"""

import asyncio
import select
import selectors
from typing import Final

AT_ONCE: Final = 32
"""Sockets that are looked at in one turn. What each leads to in that turn is to take 1 ms at most."""


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
