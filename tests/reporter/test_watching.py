"""A process whose streams stand still while records wait is ended; one that works, or has nothing to do, is not."""

import asyncio
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
from tests.reporter.examples import NOW

LOG = configure_logs("test", "critical")
RESULTS = (IMAGES_CLASSIFIED.name, 0)
OUTBOX = (REPORTS_READY.name, 0)
_LOOKS = 30


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
    """Watch with a patience of a tenth of a second, which four looks take, until that ends or for thirty looks."""
    ended, looked = asyncio.Event(), asyncio.Event()
    looks = 0

    async def find(partitions: Iterable[Partition]) -> Mapping[Partition, tuple[int, int]]:
        nonlocal looks
        looks += 1
        if looks > _LOOKS:
            looked.set()
        if ends is None:
            raise KafkaUnavailableError("away")
        return dict.fromkeys(partitions, ends)

    watching = asyncio.create_task(watch(streams, find, 0.1, LOG, lambda _: ended.set()))
    waits = [asyncio.create_task(event.wait()) for event in (ended, looked)]
    try:
        await asyncio.wait(waits, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (watching, *waits):
            task.cancel()
    assert ended.is_set() or looked.is_set()
    return ended.is_set()


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


@pytest.mark.parametrize("jump", [timedelta(hours=2), -timedelta(hours=2)], ids=["forward", "back"])
def test_a_system_clock_that_jumps_does_not_move_the_clock_of_a_reporter(jump: timedelta) -> None:
    times, seconds = [NOW], [100.0]
    clock = steady_clock(lambda: times[0], lambda: seconds[0])
    times[0], seconds[0] = NOW + jump, 160.0
    assert clock() == NOW + timedelta(minutes=1)


def test_the_clock_begins_at_the_time_and_runs_forward() -> None:
    clock = steady_clock()
    first = clock()
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=30)
    assert clock() >= first
