"""What a reporter is at: before partitions go or the process ends, it is let end, and nothing new is begun."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_FINISH_SECONDS: Final = 5.0


class InHand:
    """Counts the work that is begun; `settle` waits until all that it wrote is durable."""

    def __init__(self, settle: Callable[[], Awaitable[None]]) -> None:
        self.is_held_back = False
        self._settle = settle
        self._is_ending = False
        self._count = 0
        self._is_idle = asyncio.Event()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Work on something."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._is_idle.set()

    async def finish(self) -> None:
        """Begin nothing until all ended, for some seconds at most; what is met meanwhile is read again by somebody."""
        self.is_held_back = True
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FINISH_SECONDS):
                    await self._until_idle()
                    await self._settle()
        finally:
            self.is_held_back = self._is_ending

    async def end(self) -> None:
        """Finish, and begin nothing ever again."""
        self._is_ending = True
        await self.finish()

    async def _until_idle(self) -> None:
        while self._count:
            self._is_idle.clear()
            await self._is_idle.wait()
