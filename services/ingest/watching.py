"""Waiting for changes of one inference."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from services.runtime.loops import wake


class Watchers:
    """Who waits for which inference; each has an event that is set at every change."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def changed(self, inference_id: str) -> None:
        """Wake all who watch this inference."""
        wake(self._waiting.get(inference_id, ()))

    @contextmanager
    def watching(self, inference_id: str) -> Iterator[asyncio.Event]:
        """Watch an inference until the block ends; who waits clears the event before looking."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(inference_id, set())
        waiting.add(event)
        try:
            yield event
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(inference_id, None)
