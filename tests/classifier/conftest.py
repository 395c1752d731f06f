import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.classifier.running import prepare
from tests.kafka_fixtures import RunningKafka, running_kafka


@pytest.fixture(scope="package")
def kafka(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    """A broker of classifiers alone, since some tests look at their group as a whole: who is in it, and its lag."""
    with running_kafka(tmp_path_factory.mktemp("classifiers-kafka"), kafka_jars) as running:
        asyncio.run(prepare(running.bootstrap))
        yield running
