"""A batch that hangs does not delay the images of others."""

from pathlib import Path

import pytest

from tests.classifier.latency import Latencies, latencies
from tests.kafka_fixtures import running_kafka

pytestmark = pytest.mark.system


def test_a_whole_batch_that_hangs_leaves_the_latency_of_others_within_twice(
    kafka_jars: list[Path], tmp_path: Path
) -> None:
    with running_kafka(tmp_path, kafka_jars) as kafka:
        found = latencies(kafka.bootstrap, tmp_path, images=120, per_second=20)
    noise_seconds = 0.1  # of a machine that does other things too
    assert Latencies.p99(found.beside_hanging) < 2 * Latencies.p99(found.alone) + noise_seconds
