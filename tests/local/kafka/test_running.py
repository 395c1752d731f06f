"""The real Kafka: it starts, keeps what it acknowledged, and ends when it is told to."""

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from tests.kafka_fixtures import running_kafka
from tests.local.kafka.records import LIMIT_SECONDS, TOPIC, create, read, write

pytestmark = pytest.mark.system


def ended(process: subprocess.Popen[bytes]) -> float:
    """Ask a broker to end; returns after how many seconds it had."""
    began = time.monotonic()
    process.terminate()
    process.wait(LIMIT_SECONDS)
    return time.monotonic() - began


def test_records_outlive_a_clean_end_a_kill_and_new_ports_in_a_folder_of_any_name(
    tmp_path: Path, kafka_jars: list[Path]
) -> None:
    folder = tmp_path / "Müller & Söhne #1 \\ 20%" / "kafka-1"
    folder.mkdir(parents=True)
    (folder / "cluster-id").write_text("-GLMgsdOSdChyomfwvZzOg")  # one in 64 begins like an option

    with running_kafka(folder, kafka_jars) as first:
        asyncio.run(create(first.bootstrap))
        asyncio.run(write(first.bootstrap, b"red"))
        assert ended(first.process) < 2
    with running_kafka(folder, kafka_jars) as second:
        asyncio.run(write(second.bootstrap, b"green"))
        second.process.kill()
    with running_kafka(folder, kafka_jars) as third:
        assert asyncio.run(read(third.bootstrap, 2)) == [b"red", b"green"]

    assert len({run.bootstrap for run in (first, second, third)}) == 3
    assert (folder / "node-1" / "log" / f"{TOPIC}-0").is_dir()
