import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from services.local.kafka.class_archive import archive_options
from services.local.kafka.java import find_java, known_javas


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


@pytest.mark.parametrize("java", [Path("/bin/false"), Path("/bin/true"), *list(known_javas())[-1:]])
def test_without_an_archive_there_is_no_option_and_nothing_is_left(
    own_jars: list[Path], tmp_path: Path, java: Path
) -> None:
    for jar in own_jars:
        jar.unlink()
        jar.write_bytes(b"no jar")
    assert asyncio.run(archive_options(java, own_jars)) == []
    assert sorted(tmp_path.iterdir()) == sorted(own_jars)
