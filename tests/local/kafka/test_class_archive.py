import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from services.local.kafka.class_archive import archive_options
from services.local.kafka.java import find_java
from services.local.kafka.node import java_command


@pytest.fixture
def own_jars(kafka_jars: list[Path], tmp_path: Path) -> list[Path]:
    """One of the jars in a folder that has no archive yet."""
    return [Path(shutil.copy2(kafka_jars[0], tmp_path))]


def uses_archive(java: Path, options: list[str], jars: list[Path]) -> bool:
    """Ask Java where it takes Kafka's own classes from."""
    command = [*java_command(jars[0].parent, java, jars, [*options, "-Xlog:class+load"]), "kafka.Kafka", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    [loaded] = [line for line in done.stdout.splitlines() if "kafka.Kafka source:" in line]
    return "shared objects file" in loaded


def test_kafka_starts_from_the_archive_of_this_machine_where_java_can(kafka_jars: list[Path]) -> None:
    java = find_java()
    options = asyncio.run(archive_options(java, kafka_jars))
    if not options:
        pytest.skip(f"NO ARCHIVE OF CLASSES: {java} cannot make one")
    assert uses_archive(java, options, kafka_jars)


def fake_java(folder: Path, version: str, does: str) -> Path:
    """Tell a version, and do something where a broker is started."""
    java = folder / "java"
    java.write_text(f"""#!/bin/sh
case "$*" in
    -version) echo 'openjdk version "{version}"' >&2 ;;
    *kafka.Kafka*) {does} ;;
esac
""")
    java.chmod(0o755)
    return java


@pytest.mark.parametrize(
    ("version", "making", "using"),
    [("17.0.15", "ArchiveClassesAtExit", "SharedArchiveFile"), ("25.0.2", "AOTCacheOutput", "AOTCache")],
)
def test_an_archive_is_made_once_in_the_way_of_each_java(
    version: str, making: str, using: str, own_jars: list[Path], tmp_path: Path
) -> None:
    make = f"""file=$(echo "$*" | sed -n 's/.*-XX:{making}=\\([^ ]*\\).*/\\1/p'); echo made >> "$file" """
    java = fake_java(tmp_path, version, make)
    options = asyncio.run(archive_options(java, own_jars))
    [archive] = tmp_path.glob("classes-*")
    assert options == [f"-XX:{using}={archive}"]
    made = archive.stat().st_mtime_ns
    assert asyncio.run(archive_options(java, own_jars)) == options
    assert archive.stat().st_mtime_ns == made
    own_jars[0].write_bytes(own_jars[0].read_bytes())
    assert asyncio.run(archive_options(java, own_jars)) != options


def test_a_java_that_cannot_make_one_is_asked_once(own_jars: list[Path], tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    java = fake_java(tmp_path, "17.0.15", f"echo once >> '{asked}'")
    assert asyncio.run(archive_options(java, own_jars)) == []
    assert asyncio.run(archive_options(java, own_jars)) == []
    assert asked.read_text() == "once\n"


def test_a_java_that_fails_leaves_nothing_and_is_no_harm(own_jars: list[Path], tmp_path: Path) -> None:
    assert asyncio.run(archive_options(Path("/bin/false"), own_jars)) == []
    assert sorted(tmp_path.iterdir()) == sorted(own_jars)
