"""The folder of a process's tables belongs to that process alone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.reporter.settings import ReporterSettings
from services.runtime.settings import SettingsError


@contextmanager
def own_folder(settings: ReporterSettings) -> Iterator[None]:
    """Hold the folder while the block runs; raises `SettingsError` where another process does, or it is no folder."""
    folder = Path(settings.state_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"HUESTREAM_STATE_DIR: {folder} cannot be used: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError(
                f"HUESTREAM_STATE_DIR: another reporter uses {folder}; each needs a folder of its own."
            ) from error
        yield
