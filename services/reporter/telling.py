"""Telling how far inferences are: at most one status a second of each, and the last one always, and at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from schemas.events import InferenceStatus
from schemas.topics import INFERENCES_STATUS
from services.reporter.clock import Clock
from services.reporter.collecting import Collector
from services.runtime.kafka import KafkaUnavailableError, Publisher
from services.runtime.logs import Logger

_STATUS_SECONDS: Final = 1.0


Pause = Callable[[float], Awaitable[None]]


class Teller:
    """Writes statuses, one after another, so that an older one never lands behind a newer one."""

    def __init__(self, out: Publisher, clock: Clock, log: Logger, pause: Pause = asyncio.sleep) -> None:
        self._out = out
        self._clock = clock
        self._log = log
        self._pause = pause
        self._turn = asyncio.Lock()

    async def tell(self, status: InferenceStatus) -> None:
        """Tell a status that must not be missed; raises `KafkaUnavailableError`."""
        async with self._turn:
            await self._out.publish(INFERENCES_STATUS, [status])

    async def forget(self, inference_id: str) -> None:
        """Remove the last status of an inference; raises `KafkaUnavailableError`."""
        await self._out.forget(INFERENCES_STATUS, inference_id)

    async def tell_changes(self, collector: Collector) -> None:
        """Tell the status of each batch that changed, once a second."""
        while True:
            await self._pause(_STATUS_SECONDS)
            async with self._turn:
                await self._tell_changes(collector)

    async def _tell_changes(self, collector: Collector) -> None:
        statuses = list(collector.changed_statuses(self._clock()))
        try:
            await self._out.publish(INFERENCES_STATUS, statuses)
        except KafkaUnavailableError:
            collector.tell_again([status.inference_id for status in statuses])
            self._log.warning("statuses_not_told", count=len(statuses))
