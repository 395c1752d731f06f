"""The watchdog: a process whose streams stand still while records wait is ended, so that another takes its work."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Protocol

from schemas.topics import REPORTS_READY
from services.reporter.acknowledging import Partition, Watch
from services.reporter.stream import SOURCES, end_process
from services.runtime.kafka import KafkaUnavailableError
from services.runtime.lag import LagWatch, Reading
from services.runtime.logs import Logger
from services.runtime.metrics import GroupMetrics

_LAG_SECONDS: Final = 5.0
_LOOKS: Final = 4
"""In the time after which a standstill is one."""

Ends = Callable[[Iterable[Partition]], Awaitable[Mapping[Partition, tuple[int, int]]]]
"""Finds where the log of each partition begins and ends, by another client than the one that is watched."""


class Watched(Protocol):
    """What is watched: a stream, or a test's."""

    def assigned(self) -> set[Partition]:
        """The partitions that this process reads."""

    def position(self, partition: Partition) -> int | None:
        """Give the offset of the first record that is not taken yet; None where none ever was."""

    def restoring(self) -> int:
        """How many records the tables are behind."""


class Measured(Watched, Protocol):
    """What is measured beside."""

    def oldest_at(self, partition: Partition) -> float | None:
        """Say when the oldest record in work was written; None where none is."""

    def measure_work(self) -> None:
        """Note what is in work."""

    @property
    def measured(self) -> GroupMetrics:
        """Where what is measured goes."""


async def watch(
    stream: Watched, find_ends: Ends, patience_seconds: float, log: Logger, end: Callable[[str], None] = end_process
) -> None:
    """Look now and then, and end the process where that is due."""
    seen = Watch(patience_seconds)
    while True:
        await asyncio.sleep(patience_seconds / _LOOKS)
        stuck = seen.stuck(time.monotonic(), await _waiting(stream, find_ends))
        if stuck:
            log.error("streams_stand_still", partitions=[f"{topic}/{number}" for topic, number in stuck])
            end("streams stand still")


async def measure_lag(stream: Measured, find_ends: Ends) -> None:
    """Measure now and then how far behind we are; while Kafka is away, what was known last holds."""
    watch_lag = LagWatch(topic.name for topic in SOURCES)
    while True:
        await asyncio.sleep(_LAG_SECONDS)
        stream.measure_work()
        try:
            ends = await find_ends(stream.assigned())
        except KafkaUnavailableError:
            continue
        readings = {
            partition: Reading(end, max(begin, stream.position(partition) or 0), stream.oldest_at(partition))
            for partition, (begin, end) in ends.items()
        }
        stream.measured.lag(watch_lag.lags(time.time(), readings))


async def _waiting(stream: Watched, find_ends: Ends) -> dict[Partition, object]:
    """Find the partitions in which records wait; that Kafka is away is no fault of ours."""
    # mails may wait long for their server, and the outbox with them
    partitions = [partition for partition in stream.assigned() if partition[0] != REPORTS_READY.name]
    try:
        ends = await find_ends(partitions)
    except KafkaUnavailableError:
        return {}
    positions = {partition: stream.position(partition) for partition in partitions}
    return {
        partition: (positions[partition], stream.restoring())
        for partition, (begin, end) in ends.items()
        if end > max(begin, positions[partition] or 0)
    }
