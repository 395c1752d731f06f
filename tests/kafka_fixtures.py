"""A real Kafka alone, without the services; to be loaded as a plugin or imported by a conftest."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from services.local.folders import user_data_folder
from services.local.kafka.class_archive import archive_options
from services.local.kafka.jars import ensure_jars
from services.local.kafka.java import find_java
from services.local.kafka.node import (
    Node,
    bootstrap_servers,
    broker_command,
    java_command,
    prepare_nodes,
    wait_until_ready,
)
from services.local.kafka.problems import DownloadError
from services.local.leash import leashed
from services.local.ports import free_ports

READY_SECONDS = 60.0
END_SECONDS = 15.0


@dataclass(frozen=True)
class RunningKafka:
    """A broker that runs and is ready."""

    node: Node
    process: subprocess.Popen[bytes]

    @property
    def bootstrap(self) -> str:
        return bootstrap_servers([self.node])


def fetched_jars() -> list[Path]:
    """Kafka's jars, fetched where they are missing; raises `DownloadError`."""
    named = os.environ.get("HUESTREAM_TEST_DATA")
    return ensure_jars((Path(named) if named else user_data_folder()) / "jars", lambda _done, _wanted: None)


@cache
def _formatted() -> tempfile.TemporaryDirectory[str]:
    """A storage that Kafka has formatted, once for all of these tests, where no log is in it yet."""
    kept = tempfile.TemporaryDirectory(prefix="huestream-formatted-")
    folder = Path(kept.name)
    node = Node(1, *free_ports([0, 0]), folder / "node-1")
    asyncio.run(prepare_nodes(folder, [node], java_command(folder, find_java(), fetched_jars())))
    return kept


def put_formatted(folder: Path) -> None:
    """Have a new folder of one node formatted; one that is in use stays as it is."""
    if not (folder / "cluster-id").exists():
        shutil.copytree(_formatted().name, folder, dirs_exist_ok=True)


@contextmanager
def running_kafka(folder: Path, jars: Sequence[Path]) -> Iterator[RunningKafka]:
    """Run one broker on free ports; what the folder holds from an earlier run is kept.

    Only where no event loop runs: that is, not in an async test.
    """
    node, java = Node(1, *free_ports([0, 0]), folder / "node-1"), find_java()
    put_formatted(folder)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        command = java_command(folder, java, jars, runner.run(archive_options(java, jars)))
        runner.run(prepare_nodes(folder, [node], command))
        process = _start(node, command)
        try:
            runner.run(wait_until_ready([node], READY_SECONDS))
            yield RunningKafka(node, process)
        finally:
            _end(process)


def _start(node: Node, java: Sequence[str]) -> subprocess.Popen[bytes]:
    with node.log_path.open("ab") as log:
        return subprocess.Popen(leashed(broker_command(node, java)), stdout=log, stderr=log)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a broker without its goodbye, which takes a processor for a second; what was acknowledged is kept."""
    process.kill()
    process.wait(END_SECONDS)


@pytest.fixture(scope="session")
def kafka_jars() -> list[Path]:
    """Kafka's jars, fetched once per machine; HUESTREAM_TEST_DATA names another folder than the user's."""
    try:
        return fetched_jars()
    except DownloadError as error:
        pytest.skip(f"NO REAL KAFKA, NOTHING OF IT WAS TESTED: {error}")


@pytest.fixture(scope="session")
def kafka(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    """One broker for tests of several folders that need no more than one, whatever else is in it."""
    with running_kafka(tmp_path_factory.mktemp("kafka"), kafka_jars) as running:
        yield running
