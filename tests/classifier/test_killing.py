"""Nothing is lost when consumers and decoders are killed under load."""

from pathlib import Path

import pytest

from tests.classifier.killing import kill_under_load
from tests.kafka_fixtures import running_kafka

pytestmark = pytest.mark.system


def test_kills_under_load_lose_nothing_and_the_lag_ends(kafka_jars: list[Path], tmp_path: Path) -> None:
    kills = ["decoder", "consumer", "decoder", "consumer"]
    with running_kafka(tmp_path, kafka_jars) as kafka:
        outcome = kill_under_load(kafka.bootstrap, tmp_path, kills, images=1200, seed=6)
    assert len(outcome.results.results) == outcome.sent
    assert outcome.results.outcomes()["succeeded"] >= outcome.sent - kills.count("decoder")
    assert outcome.results.dead_letters == 0
