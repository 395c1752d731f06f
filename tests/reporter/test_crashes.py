"""Reporters that are killed, over and over: one mail for each batch, with all lines.

`python -m tests.reporter.crashes` does the same for longer, and prints a table.
"""

import asyncio
from pathlib import Path

import pytest

from tests.kafka_fixtures import RunningKafka
from tests.reporter.crashes import Plan, crash
from tests.reporter.world import world_around

pytestmark = pytest.mark.system


@pytest.mark.parametrize("store", ["memory://", "rocksdb://"])
def test_killed_reporters_leave_one_whole_mail_for_each_batch(
    store: str, reporters_kafka: RunningKafka, tmp_path: Path
) -> None:
    with world_around(reporters_kafka, tmp_path) as world:
        outcome = asyncio.run(crash(world, Plan(store, kills=2, size=40, pause_seconds=(3, 6), lasts_seconds=25)))
    assert len(outcome.kills) == 2
    assert outcome.is_good, outcome
