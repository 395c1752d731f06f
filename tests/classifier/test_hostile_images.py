"""Every file of the corpus and every bomb ends in a result or a named error, in time, through the whole service."""

from pathlib import Path

import pytest

from tests.classifier import bombs
from tests.classifier.hostile_images import files, run
from tests.kafka_fixtures import RunningKafka
from tests.shared_data import shared

pytestmark = pytest.mark.system

WALL_SECONDS = 10
NAMED = {
    "succeeded",
    "image_corrupt",
    "image_unsupported_format",
    "image_too_many_pixels",
    "image_fully_transparent",
    "image_too_large",
    "decode_timeout",
}


def test_the_corpus_and_the_bombs_cost_no_consumer(kafka: RunningKafka, tmp_path: Path) -> None:
    contents = files(shared("image-corpus"))
    assert len(contents) > 1700
    seen = run(kafka.bootstrap, tmp_path, contents, at_once=3)
    assert sum(seen.outcomes.values()) == len(contents)
    assert set(seen.outcomes) <= NAMED
    assert seen.outcomes["succeeded"] > 1000
    assert max(seen.seconds.values()) < WALL_SECONDS + 1
    assert seen.peak_megabytes["consumer"] < 300
    assert seen.peak_megabytes["decoder"] < 1024
    for name, ends in bombs.ENDS.items():
        assert seen.unlike_classified.get(f"bombs/{name}", "classified") in ends, name
