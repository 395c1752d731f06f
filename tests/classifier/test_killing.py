"""Nothing is lost when consumers and decoders are killed under load."""

from pathlib import Path

import pytest

from tests.classifier.killing import kill_under_load
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system


def test_kills_under_load_lose_nothing_and_the_lag_ends(kafka: RunningKafka, tmp_path: Path) -> None:
    kills = ["decoder", "consumer", "decoder", "consumer"]
    outcome = kill_under_load(kafka.bootstrap, tmp_path, kills, images=600, seed=6, parts=8)
    assert len(outcome.results.results) == outcome.sent
    assert outcome.results.outcomes()["succeeded"] >= outcome.sent - kills.count("decoder")
    assert outcome.results.dead_letters == 0
