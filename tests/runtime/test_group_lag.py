import asyncio
from collections.abc import Mapping, Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import NodeNotReadyError
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import Topic
from services.runtime.group_lag import GroupReading, age_of_oldest, watch_groups
from services.runtime.lag import MAX_SECONDS, Lag
from services.runtime.logs import configure_logs

NOW = 2_000_000_000.0
PARTITION = TopicPartition("topic", 0)


async def found(age: float) -> float:
    async def offsets_at(moment: float) -> Mapping[TopicPartition, int]:
        return {PARTITION: 7 if moment <= NOW - age else 9}

    return await age_of_oldest({PARTITION: 7}, offsets_at, NOW)


@given(age=st.floats(0, MAX_SECONDS))
async def test_the_age_of_the_oldest_record_is_found_to_a_tenth_by_asking_for_offsets(age: float) -> None:
    assert age <= await found(age) <= 1.12 * age + 1


async def test_what_is_older_than_records_are_kept_is_that_old() -> None:
    assert await found(10 * MAX_SECONDS) == pytest.approx(MAX_SECONDS)


class Broken:
    """A watch that fails, once in a way that nobody thought of."""

    def __init__(self) -> None:
        self.asked = 0

    async def reading(self, group: str, topics: Sequence[Topic]) -> GroupReading:
        del group, topics
        self.asked += 1
        if self.asked < 3:
            raise NodeNotReadyError if self.asked == 1 else KeyError("unthought of")
        return GroupReading(2, {"topic": Lag(3, 4.0)})


async def test_whatever_goes_wrong_is_said_once_and_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    found: dict[str, GroupReading] = {}
    watch, log = Broken(), configure_logs("test", "info")
    watching = asyncio.create_task(watch_groups(watch, {"group": ()}, found.__setitem__, log, 0.001))
    async with asyncio.timeout(5):
        while not found:  # noqa: ASYNC110  # the condition is of what is tested
            await asyncio.sleep(0.002)
    watching.cancel()
    assert found == {"group": GroupReading(2, {"topic": Lag(3, 4.0)})}
    assert capsys.readouterr().out.count("group_lag_unknown") == 1
