"""How far behind a consumer group is, seen from outside: it is known also while none of its members runs.

Only offsets are asked for, never records: the age of the oldest record that is not committed is found by asking which
offsets are so and so old. Each question costs a broker next to nothing, and no right but to describe.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code

from schemas.topics import Topic
from services.runtime.lag import MAX_SECONDS, Lag
from services.runtime.logs import Logger

_ANSWER_SECONDS: Final = 10.0
_PRECISION: Final = 0.1
_SHORTEST_SECONDS: Final = 1.0

OffsetsAt = Callable[[float], Awaitable[Mapping[TopicPartition, int]]]
"""Finds, for a time, the first offset of each partition that was written then or later."""


@dataclass(frozen=True)
class GroupReading:
    """What is known of one group: how many members it has, and its lag by topic."""

    members: int
    lags: Mapping[str, Lag]


async def age_of_oldest(positions: Mapping[TopicPartition, int], offsets_at: OffsetsAt, now: float) -> float:
    """Find the age of the oldest record at or after these offsets, to a tenth; all of them hold records.

    The age is bracketed by doubling, and the bracket halved.
    """

    async def is_younger_than(age: float) -> bool:
        found = await offsets_at(now - age)
        return all(found[partition] <= position for partition, position in positions.items())

    low, high = 0.0, _SHORTEST_SECONDS
    while high < MAX_SECONDS and not await is_younger_than(high):
        low, high = high, 2 * high
    while high - low > max(_PRECISION * high, _SHORTEST_SECONDS / 2):
        middle = (low + high) / 2
        low, high = (low, middle) if await is_younger_than(middle) else (middle, high)
    return min(high, MAX_SECONDS)


class GroupWatch:
    """Asks Kafka about groups."""

    def __init__(self, admin: AIOKafkaAdminClient, source: AIOKafkaConsumer) -> None:
        self._admin = admin
        self._source = source

    async def reading(self, group: str, topics: Sequence[Topic]) -> GroupReading:
        """Look at one group; raises where Kafka does not answer, or we may not ask."""
        committed = await self._admin.list_consumer_group_offsets(group)
        lags = {topic.name: await self._lag(topic, committed) for topic in topics}
        return GroupReading(await self._members(group), lags)

    async def _members(self, group: str) -> int:
        [answer] = await self._admin.describe_consumer_groups([group])
        [(code, _, _, _, _, members, *_)] = answer.groups
        if code:
            raise for_code(code)
        return len(members)

    async def _lag(self, topic: Topic, committed: Mapping[TopicPartition, object]) -> Lag:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        begins, ends = await self._source.beginning_offsets(partitions), await self._source.end_offsets(partitions)
        positions = {each: max(begins[each], getattr(committed.get(each), "offset", 0)) for each in partitions}
        behind = {each: position for each, position in positions.items() if position < ends[each]}
        if not behind:
            return Lag()

        async def offsets_at(moment: float) -> Mapping[TopicPartition, int]:
            found = await self._source.offsets_for_times(dict.fromkeys(behind, max(0, int(moment * 1000))))
            return {each: found[each].offset if found[each] else ends[each] for each in behind}

        records = sum(ends[each] - position for each, position in behind.items())
        return Lag(records, await age_of_oldest(behind, offsets_at, time.time()))


class Looks(Protocol):
    """Who looks at a group: the real one, or a test's."""

    async def reading(self, group: str, topics: Sequence[Topic]) -> GroupReading:
        """Look; raises what goes wrong."""


async def watch_groups(
    watch: Looks,
    groups: Mapping[str, Sequence[Topic]],
    found: Callable[[str, GroupReading], None],
    log: Logger,
    pause_seconds: float,
) -> None:
    """Look at groups now and then until canceled; what cannot be known is said once, and looked for again."""
    unknown: set[str] = set()
    while True:
        for group, topics in groups.items():
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    reading = await watch.reading(group, topics)
            except Exception as error:  # noqa: BLE001  # whatever is wrong, a figure is not worth the service
                if group not in unknown:
                    log.warning("group_lag_unknown", group=group, reason=type(error).__name__)
                unknown.add(group)
            else:
                found(group, reading)
                unknown.discard(group)
        await asyncio.sleep(pause_seconds)
