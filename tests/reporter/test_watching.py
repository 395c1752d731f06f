"""A process whose streams stand still while records wait is ended; one that works, or has nothing to do, is not."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from schemas.topics import IMAGES_CLASSIFIED, REPORTS_READY
from services.reporter.acknowledging import Partition
from services.reporter.clock import steady_clock
from services.reporter.watching import watch
from services.runtime.kafka import KafkaUnavailableError
from services.runtime.logs import configure_logs

LOG = configure_logs("test", "critical")
RESULTS = (IMAGES_CLASSIFIED.name, 0)
OUTBOX = (REPORTS_READY.name, 0)


@dataclass
class Streams:
    """Two partitions, one of which may move at each look."""

    first: int | None = 5
    step: int = 0
    restored: int = 0

    def assigned(self) -> set[Partition]:
        return {RESULTS, OUTBOX}

    def position(self, partition: Partition) -> int | None:
        if partition == RESULTS and self.first is not None:
            self.first += self.step
        return self.first if partition == RESULTS else 0

    def restoring(self) -> int:
        self.restored += 1 if self.restored else 0
        return self.restored


async def is_ended(streams: Streams, ends: tuple[int, int] | None) -> bool:
    """Watch for a while, with a patience of a tenth of a second."""
    ended = asyncio.Event()

    async def find(partitions: Iterable[Partition]) -> Mapping[Partition, tuple[int, int]]:
        if ends is None:
            raise KafkaUnavailableError("away")
        return dict.fromkeys(partitions, ends)

    watching = asyncio.create_task(watch(streams, find, 0.1, LOG, ended.set))
    try:
        await asyncio.wait_for(ended.wait(), 0.6)
    except TimeoutError:
        return False
    finally:
        watching.cancel()
    return True


@pytest.mark.parametrize(
    ("streams", "ends", "ended"),
    [
        (Streams(), (0, 9), True),
        (Streams(first=None), (0, 9), True),
        (Streams(first=None), (9, 9), False),
        (Streams(), (0, 5), False),
        (Streams(step=1), (0, 9_999), False),
        (Streams(restored=1), (0, 9), False),
        (Streams(), None, False),
    ],
    ids=["stands-still", "never-began", "nothing-kept", "nothing-waits", "moves", "recovers", "kafka-is-away"],
)
async def test_a_standstill_is_one_where_records_wait(
    streams: Streams,
    ends: tuple[int, int] | None,
    ended: bool,  # noqa: FBT001
) -> None:
    assert await is_ended(streams, ends) == ended


def test_the_clock_begins_at_the_time_and_runs_evenly() -> None:
    clock = steady_clock()
    first = clock()
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=1)
    began = time.monotonic()
    elapsed = clock() - first
    assert elapsed.total_seconds() <= time.monotonic() - began + 0.05
    assert clock() >= first
