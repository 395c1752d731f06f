from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka_fixtures import RunningKafka, running_kafka


@pytest.fixture(scope="package")
def reporters_kafka(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    """A broker of the reporters: they read all that is in their topics, whoever wrote it."""
    with running_kafka(tmp_path_factory.mktemp("reporters-kafka"), kafka_jars) as kafka:
        yield kafka
