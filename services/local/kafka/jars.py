"""The broker's jars: fetched once from their Maven coordinates, held to their SHA-256 sums at every start.

Runs as a process of its own (`python -m services.local.kafka.jars FOLDER`), which can be ended at any time.
"""

import csv
import fcntl
import hashlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.local.kafka.problems import DISK_FULL, ChecksumError, DownloadError, LocalKafkaError, folder_error

_LIST: Final = Path(__file__).with_name("jars.csv")
_THREADS: Final = 4
_TIMEOUT_SECONDS: Final = 60
_FETCHING: Final = "fetching-"

Progress = Callable[[int, int], None]
"""Told how many jars of how many are there."""
Download = Callable[["Jar", Path], Path]
"""Brings a jar into a folder of its own and returns its file; raises any exception."""


@dataclass(frozen=True)
class Jar:
    """One jar by its Maven coordinates."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Name of its file."""
        return f"{self.artifact}-{self.version}.jar"


def listed_jars() -> list[Jar]:
    """Read the list: the runtime closure of the broker and its log library."""
    with _LIST.open(newline="") as lines:
        return [Jar(**row) for row in csv.DictReader(lines)]


def resolve_with_jgo(jar: Jar, cache: Path) -> Path:
    """Fetch one jar through jgo, into a cache folder; a mirror named in the user's jgo settings is used."""
    from jgo.config import GlobalSettings  # noqa: PLC0415  # slow to import, and needed once per machine
    from jgo.maven import MavenContext  # noqa: PLC0415

    maven = MavenContext(repo_cache=cache, timeout=_TIMEOUT_SECONDS)
    maven.remote_repos.update(GlobalSettings.load().repositories)
    return Path(maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())


def ensure_jars(
    folder: Path, progress: Progress, jars: Sequence[Jar] | None = None, download: Download = resolve_with_jgo
) -> list[Path]:
    """Return all jars' files, fetching what is missing; raises `LocalKafkaError`.

    A file is moved into place only when it is whole and right, so that a run that broke off leaves nothing behind.
    """
    wanted = listed_jars() if jars is None else jars
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _missing(wanted, folder):
            with _alone(folder):
                _fetch_all(_missing(wanted, folder), folder, progress, download)
    except OSError as error:
        raise folder_error(error, folder) from error
    return [folder / jar.file_name for jar in wanted]


def _missing(wanted: Sequence[Jar], folder: Path) -> list[Jar]:
    return [jar for jar in wanted if not _is_right(folder / jar.file_name, jar)]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process fetch at a time, and take away what one that was killed left behind."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(f"{_FETCHING}*"):
            shutil.rmtree(left)
        yield


def _fetch_all(missing: Sequence[Jar], folder: Path, progress: Progress, download: Download) -> None:
    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_FETCHING) as cache, ThreadPoolExecutor(_THREADS) as threads:
        work = [threads.submit(_fetch, jar, folder, Path(cache), download) for jar in missing]
        for done, future in enumerate(as_completed(work), start=1):
            try:
                future.result()
            except LocalKafkaError:
                threads.shutdown(cancel_futures=True)
                raise
            progress(done, len(missing))


def _fetch(jar: Jar, folder: Path, cache: Path, download: Download) -> None:
    try:
        fetched = download(jar, cache)
        right = _is_right(fetched, jar)
        if right:
            shutil.move(fetched, folder / jar.file_name)
    except Exception as error:  # whatever a download can end in
        raise _failure(error, jar, folder) from error
    if not right:
        raise ChecksumError(
            f"{jar.file_name} does not have the expected SHA-256 sum and was thrown away; "
            "run again, and check what stands between this machine and the Maven repository if it stays so"
        )


def _failure(error: Exception, jar: Jar, folder: Path) -> LocalKafkaError:
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return folder_error(error, folder)
    return DownloadError(
        f"{jar.file_name} could not be fetched ({type(error).__name__}); "
        "check the network, or the proxy settings, and run again"
    )


def _is_right(file: Path, jar: Jar) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256


def _show(done: int, wanted: int) -> None:
    end = "\r" if sys.stderr.isatty() and done < wanted else "\n"
    if end == "\r" or done in {1, wanted}:
        sys.stderr.write(f"fetching Kafka's jars, once: {done} of {wanted}{end}")


if __name__ == "__main__":
    try:
        ensure_jars(Path(sys.argv[1]), _show)
    except LocalKafkaError as problem:
        sys.stdout.write(f"{problem}\n")  # for the parent; progress is on standard error
        sys.exit(1)
