"""Reading the same thing once for all who ask for it at about the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from services.runtime.loops import Gate

_T = TypeVar("_T")


class SharedReads(Generic[_T]):
    """Reads a few things at a time; who asks before a reading begins shares it: it finds all that is there by now."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._next: dict[str, _Reading[_T]] = {}
        self._tasks: set[asyncio.Task[_T]] = set()

    async def of(self, name: str, read: Callable[[], Awaitable[_T]]) -> _T:
        """Read what has this name, or wait for who does; raises what the reading raises."""
        reading = self._next.get(name) or self._begin(name, read)
        await reading.is_done.passed()
        return reading.task.result()

    def _begin(self, name: str, read: Callable[[], Awaitable[_T]]) -> "_Reading[_T]":
        reading = self._next[name] = _Reading(asyncio.create_task(self._read(name, read)), Gate())
        self._tasks.add(reading.task)
        reading.task.add_done_callback(partial(self._end, reading.is_done))
        return reading

    async def _read(self, name: str, read: Callable[[], Awaitable[_T]]) -> _T:
        async with self._places:
            del self._next[name]
            return await read()

    def _end(self, is_done: Gate, task: asyncio.Task[_T]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # all who asked may be gone
        is_done.open()


@dataclass(frozen=True)
class _Reading(Generic[_T]):
    task: asyncio.Task[_T]
    is_done: Gate
