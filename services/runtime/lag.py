"""How far behind its topics a consumer is: in records, and as the age of the oldest one that is not committed. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MAX_SECONDS: Final = 7 * 86_400.0
"""As long as records are kept: what a producer writes as the time of a record is not trusted beyond it."""


def age_seconds(since: datetime, now: datetime) -> float:
    """Measure an age whose beginning somebody else wrote: never negative, never beyond a week."""
    return min(max(0.0, (now - since).total_seconds()), MAX_SECONDS)


@dataclass(frozen=True)
class Lag:
    """How far behind."""

    records: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Reading:
    """One partition: the log's end, what is committed, and when the oldest record in hand was written."""

    end: int
    position: int
    oldest_at: float | None = None


class LagWatch:
    """Makes lags of readings.

    A record that waits and is not in hand tells no time: it is as old as we have seen it wait, at least.

    >>> watch = LagWatch(["topic"])
    >>> watch.lags(100.0, {("topic", 0): Reading(end=9, position=4, oldest_at=97.5)})
    {'topic': Lag(records=5, seconds=2.5)}
    >>> watch.lags(101.0, {("topic", 0): Reading(end=9, position=9)})
    {'topic': Lag(records=0, seconds=0.0)}
    """

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = tuple(topics)
        self._waits: dict[tuple[str, int], tuple[int, float]] = {}

    def lags(self, now: float, readings: Mapping[tuple[str, int], Reading]) -> dict[str, Lag]:
        """Sum the records of each topic, and find the oldest one."""
        found = dict.fromkeys(self._topics, Lag())
        behind = {partition: each for partition, each in readings.items() if each.end > each.position}
        for (topic, number), reading in behind.items():
            known = found[topic]
            age = self._age(now, (topic, number), reading)
            found[topic] = Lag(known.records + reading.end - reading.position, max(known.seconds, age))
        self._waits = {partition: since for partition, since in self._waits.items() if partition in behind}
        return found

    def _age(self, now: float, partition: tuple[str, int], reading: Reading) -> float:
        position, since = self._waits.get(partition, (reading.position, now))
        since = since if position == reading.position else now
        self._waits[partition] = reading.position, since
        began = since if reading.oldest_at is None else reading.oldest_at
        return min(max(0.0, now - began), MAX_SECONDS)
