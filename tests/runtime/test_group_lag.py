from collections.abc import Mapping

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.group_lag import age_of_oldest
from services.runtime.lag import MAX_SECONDS

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
