import errno
import hashlib
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.local.kafka.jars import Jar, ensure_jars, listed_jars
from services.local.kafka.problems import ChecksumError, DownloadError, LocalKafkaError, NoSpaceError
from tests.local.kafka.maven_repository import LIMIT_SECONDS, MavenRepository, maven_repository

CONTENT = b"what a jar holds" * 20_000
JARS = [Jar("org.example", name, "1.0", hashlib.sha256(CONTENT).hexdigest()) for name in ("one", "two", "three")]
NAMES = [jar.file_name for jar in JARS]


def quiet(_done: int, _wanted: int) -> None:
    """Progress that nobody watches."""


def bring(content: bytes, jar: Jar, cache: Path) -> Path:
    fetched = cache / f"fetched-{jar.file_name}"
    fetched.write_bytes(content)
    return fetched


def well(jar: Jar, cache: Path) -> Path:
    return bring(CONTENT, jar, cache)


def refuse(jar: Jar, _cache: Path) -> Path:
    raise AssertionError(f"{jar} was fetched")


def jars_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.name != "lock")


def test_the_list_is_of_46_different_jars_with_their_sums() -> None:
    jars = listed_jars()
    assert len({jar.file_name for jar in jars}) == len(jars) == 46
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert {"kafka_2.13-4.3.1.jar", "log4j-core-2.25.4.jar"} <= {jar.file_name for jar in jars}


def test_missing_jars_are_fetched_once_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = ensure_jars(tmp_path, lambda done, wanted: told.append((done, wanted)), JARS, well)
    assert found == [tmp_path / name for name in NAMES]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert jars_in(tmp_path) == sorted(NAMES)
    assert ensure_jars(tmp_path, quiet, JARS, refuse) == found


def test_a_jar_that_was_spoiled_on_disk_is_fetched_again(tmp_path: Path) -> None:
    [first, *_] = ensure_jars(tmp_path, quiet, JARS, well)
    first.write_bytes(CONTENT[:-1])
    with pytest.raises(LocalKafkaError):
        ensure_jars(tmp_path, quiet, JARS, refuse)
    ensure_jars(tmp_path, quiet, JARS, well)
    assert first.read_bytes() == CONTENT


def test_a_wrong_checksum_is_one_sentence_and_the_next_run_works(tmp_path: Path) -> None:
    with pytest.raises(ChecksumError, match=r"^one-1\.0\.jar does not have the expected SHA-256 sum [^\n]* run again"):
        ensure_jars(tmp_path, quiet, JARS[:1], lambda jar, cache: bring(b"something else", jar, cache))
    assert jars_in(tmp_path) == []
    ensure_jars(tmp_path, quiet, JARS, well)
    assert jars_in(tmp_path) == sorted(NAMES)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_sentence_and_the_next_run_works(tmp_path: Path, number: int) -> None:
    def full(_jar: Jar, _cache: Path) -> Path:
        raise OSError(number, "as the system says")

    with pytest.raises(NoSpaceError, match=r"^no space is left for Kafka in [^\n]*; make room there and run again$"):
        ensure_jars(tmp_path, quiet, JARS, full)
    ensure_jars(tmp_path, quiet, JARS, well)


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "jars").touch()
    with pytest.raises(LocalKafkaError, match=r"^Kafka cannot use the folder [^\n]*/jars: File exists$"):
        ensure_jars(tmp_path / "jars", quiet, JARS, refuse)


def test_two_at_once_fetch_each_jar_once(tmp_path: Path) -> None:
    fetched: list[str] = []
    both = threading.Barrier(2, timeout=LIMIT_SECONDS)

    def count(jar: Jar, cache: Path) -> Path:
        fetched.append(jar.file_name)
        return well(jar, cache)

    def run() -> list[Path]:
        both.wait()
        return ensure_jars(tmp_path, quiet, JARS, count)

    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(run) for _ in range(2)]
        assert runs[0].result(LIMIT_SECONDS) == runs[1].result(LIMIT_SECONDS)
    assert sorted(fetched) == sorted(NAMES)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MavenRepository]:
    """A repository that the user's jgo settings name as their mirror."""
    with maven_repository(CONTENT) as running:
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\ncentral = {running.url}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        yield running


def test_jars_come_from_the_mirror_of_the_users_settings_and_nothing_is_written_elsewhere(
    tmp_path: Path, repository: MavenRepository
) -> None:
    ensure_jars(tmp_path / "jars", quiet, JARS)
    assert "/org/example/one/1.0/one-1.0.jar" in repository.asked
    assert jars_in(tmp_path / "jars") == sorted(NAMES)
    assert jars_in(tmp_path) == ["jars", "jgo.conf"]


def test_a_download_that_breaks_off_is_one_sentence_and_the_next_run_works(
    tmp_path: Path, repository: MavenRepository
) -> None:
    repository.breaks_off = True
    told = r"^one-1\.0\.jar could not be fetched \(\w+\); check the network, or the proxy settings, and run again$"
    with pytest.raises(DownloadError, match=told):
        ensure_jars(tmp_path / "jars", quiet, JARS[:1])
    assert jars_in(tmp_path / "jars") == []
    repository.breaks_off = False
    ensure_jars(tmp_path / "jars", quiet, JARS)
    assert jars_in(tmp_path / "jars") == sorted(NAMES)


def test_a_run_killed_in_the_middle_of_a_download_leaves_nothing_that_the_next_one_keeps(
    tmp_path: Path, repository: MavenRepository
) -> None:
    repository.hangs = True
    script = f"""
        from pathlib import Path
        from services.local.kafka.jars import Jar, ensure_jars
        ensure_jars(Path({str(tmp_path / "jars")!r}), print, {JARS!r})
    """
    run = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=Path(__file__).parents[3])
    try:
        assert repository.hanging.wait(LIMIT_SECONDS)
    finally:
        run.kill()
        run.wait(LIMIT_SECONDS)
    assert [name.startswith("fetching-") for name in jars_in(tmp_path / "jars")] == [True]
    repository.hangs = False
    repository.go_on.set()
    ensure_jars(tmp_path / "jars", quiet, JARS)
    assert jars_in(tmp_path / "jars") == sorted(NAMES)


def test_a_failure_reaches_the_parent_as_a_sentence_without_a_trace(
    tmp_path: Path, repository: MavenRepository
) -> None:
    command = [sys.executable, "-m", "services.local.kafka.jars", str(tmp_path / "jars")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[3]
    )
    assert done.returncode == 1
    assert re.fullmatch(r"\S+\.jar does not have the expected SHA-256 sum [^\n]*\n", done.stdout)
    assert "Traceback" not in done.stderr
    assert repository.asked
