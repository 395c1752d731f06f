"""Removing what has been kept long enough: reports when they expire, and their last statuses a month later.

The status outlives the report, so that whoever asks is told that it has expired. Each process looks after the
inferences of its own partitions; everything it does may be repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from schemas.events import InferenceStatus, UndecodableError
from schemas.results import report_path
from schemas.topics import INFERENCES_STATUS, Topic
from services.reporter import metrics
from services.reporter.clock import Clock
from services.runtime.kafka import KafkaUnavailableError, Record
from services.runtime.logs import Logger
from services.runtime.object_store import ObjectFolder, StoreUnavailableError

REMEMBERED: Final = timedelta(days=30)
"""How long ingest still says of a report that it has expired."""
_FIRST_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 6 * 3600.0
_READ_SECONDS: Final = 600.0


class Expiries:
    """When the report of each inference expires, by its newest status; nothing of those that are gone."""

    def __init__(self) -> None:
        self._ends: dict[str, datetime] = {}

    def fold(self, record: Record) -> None:
        """Take over one record of the status topic."""
        name = (record.key or b"").decode(errors="replace")
        expires_at = _expires_at(record)
        if expires_at is None:
            self._ends.pop(name, None)
        else:
            self._ends[name] = expires_at

    def expired(self, now: datetime, age: timedelta = timedelta()) -> frozenset[str]:
        """List the inferences whose reports have expired that long ago."""
        return frozenset(name for name, at in self._ends.items() if now - at >= age)


def _expires_at(record: Record) -> datetime | None:
    try:
        return InferenceStatus.decode(record.value).expires_at
    except UndecodableError:
        return None


class ReadAll(Protocol):
    """Hands on all records of some partitions of a topic."""

    def __call__(
        self, topic: Topic, partitions: Iterable[int], fold: Callable[[Record], None], timeout_seconds: float
    ) -> Awaitable[None]:
        """Read them; raises `KafkaUnavailableError` past the limit."""


@dataclass(frozen=True)
class Purge:
    """Removes what has been kept long enough."""

    store: ObjectFolder
    read_all: ReadAll
    partitions: Callable[[], Iterable[int]]
    """The partitions whose inferences are ours to look after."""
    forget_status: Callable[[str], Awaitable[None]]
    clock: Clock
    log: Logger

    async def run(self) -> None:
        """Remove what is to go; raises `KafkaUnavailableError` and `StoreUnavailableError`."""
        expiries = Expiries()
        await self.read_all(INFERENCES_STATUS, self.partitions(), expiries.fold, _READ_SECONDS)
        reports = await self._paths_of(expiries.expired(self.clock()))
        for inference_id, paths in reports.items():
            await self.store.delete(paths)
            metrics.PURGED_REPORTS.inc()
            self.log.info("report_purged", inference_id=inference_id)
        statuses = expiries.expired(self.clock(), REMEMBERED)
        for inference_id in statuses:
            await self.forget_status(inference_id)
        self.log.info("purged", reports=len(reports), statuses=len(statuses))

    async def _paths_of(self, expired: frozenset[str]) -> Mapping[str, list[str]]:
        """Find the objects of expired reports; the report itself first: who does not find it looks for no more."""
        found: dict[str, list[str]] = {}
        async for paths in self.store.all():
            for path in paths:
                inference_id = path.partition("/")[0]
                if inference_id in expired:
                    found.setdefault(inference_id, []).append(path)
        return {name: sorted(paths, key=lambda path: path != report_path(name)) for name, paths in found.items()}


async def purge_now_and_then(purge: Purge, trouble: Callable[[], str | None]) -> None:
    """Purge soon after the start, and a few times a day."""
    await asyncio.sleep(_FIRST_SECONDS)
    while True:
        if not trouble():
            try:
                await purge.run()
            except (KafkaUnavailableError, StoreUnavailableError) as error:
                purge.log.warning("purge_failed", reason=str(error))
        await asyncio.sleep(_PAUSE_SECONDS)
