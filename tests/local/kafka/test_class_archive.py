import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from services.local.kafka.class_archive import archive_options
from services.local.kafka.java import find_java


@pytest.fixture
def own_jars(kafka_jars: list[Path], tmp_path: Path) -> list[Path]:
    """The same jars in a folder that has no archive yet."""
    return [Path(shutil.copy2(jar, tmp_path)) for jar in kafka_jars]


def uses_archive(java: Path, options: list[str], jars: list[Path]) -> bool:
    """Ask Java where it takes Kafka's own classes from."""
    command = [java, *options, "-Xlog:class+load", "-cp", ":".join(map(str, jars)), "kafka.tools.StorageTool", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "kafka.tools.StorageTool" in done.stdout
    return "shared objects file (top)" in done.stdout


def test_an_archive_is_made_once_and_used_where_java_can(own_jars: list[Path], tmp_path: Path) -> None:
    java = find_java()
    options = asyncio.run(archive_options(java, own_jars))
    if not options:
        pytest.skip(f"NO ARCHIVE OF CLASSES: {java} cannot make one")
    assert uses_archive(java, options, own_jars)
    [archive] = tmp_path.glob("classes-*")
    made = archive.stat().st_mtime_ns
    assert asyncio.run(archive_options(java, own_jars)) == options
    assert archive.stat().st_mtime_ns == made
    own_jars[0].write_bytes(own_jars[0].read_bytes())
    assert asyncio.run(archive_options(java, own_jars)) != options


def test_a_java_that_cannot_make_one_is_asked_once(own_jars: list[Path], tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho once >> '{asked}'\n")
    java.chmod(0o755)
    assert asyncio.run(archive_options(java, own_jars)) == []
    assert asyncio.run(archive_options(java, own_jars)) == []
    assert asked.read_text() == "once\n"


def test_a_java_that_fails_leaves_nothing_and_is_no_harm(own_jars: list[Path], tmp_path: Path) -> None:
    assert asyncio.run(archive_options(Path("/bin/false"), own_jars)) == []
    assert sorted(tmp_path.iterdir()) == sorted(own_jars)
