"""Where the API keys come from: their topic, or a file where an operator prefers that."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from schemas.events import ApiKey, UndecodableError
from schemas.topics import API_KEYS
from services.runtime.api_keys import KeyRing
from services.runtime.cluster import Kafka
from services.runtime.following import Follower
from services.runtime.kafka import LONG_WAIT_MS, consumer
from services.runtime.logs import Logger
from services.runtime.settings import SettingsError

_LOOK_SECONDS: Final = 0.5
_OWNER_ONLY: Final = 0o600


class KeyFileError(SettingsError):
    """The file of keys cannot be used; the message is one sentence that never quotes it."""


class KeyFile:
    """Keeps a ring of keys as a file says, which is read again whenever it changes."""

    def __init__(self, path: Path, ring: KeyRing, log: Logger) -> None:
        self._path = path
        self._ring = ring
        self._log = log
        self._seen: tuple[int, ...] = ()

    def load(self) -> None:
        """Take over what the file says; raises `KeyFileError` and then leaves the ring as it is."""
        self._seen = _stamp(self._path)
        self._ring.replace(read_keys(self._path))

    async def follow(self) -> None:
        """Load again at every change, until canceled; a file that cannot be used changes nothing but the log."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if _stamp(self._path) == self._seen:
                continue
            try:
                self.load()
            except KeyFileError as error:
                self._log.error("api_keys_not_reread", reason=str(error))
            else:
                self._log.info("api_keys_reread", keys=len(self._ring.all()))


def read_keys(path: Path) -> list[ApiKey]:
    """Read the keys of a file: one record a line, the last one of an id holds; raises `KeyFileError`."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise KeyFileError(f"the file of API keys cannot be read: {error.strerror}") from error
    keys: dict[str, ApiKey] = {}
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                key = ApiKey.decode(line)
                keys[key.key_id] = key
        except UndecodableError as error:
            raise KeyFileError(f"line {number} of the file of API keys cannot be used: {error}") from error
    return list(keys.values())


def append_key(path: Path, key: ApiKey) -> None:
    """Add a record to a file, which only its owner may read when it is new; raises `KeyFileError`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _OWNER_ONLY)
        with os.fdopen(descriptor, "ab") as file:
            unended = file.tell() > 0 and not path.read_bytes().endswith(b"\n")
            file.write(b"\n" * unended + key.encode() + b"\n")
    except OSError as error:
        raise KeyFileError(f"the file of API keys cannot be written: {error.strerror}") from error


def _stamp(path: Path) -> tuple[int, ...]:
    """Tell one content from another, without reading it; a file that is away is one of its own."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


@asynccontextmanager
async def known_keys(
    file: Path | None, ring: KeyRing, kafka: Kafka, timeout_seconds: float, log: Logger
) -> AsyncIterator[Callable[[], Coroutine[None, None, None]]]:
    """Read all keys, from the file where there is one; yields what follows their changes.

    Raises `KeyFileError` and `KafkaUnavailableError`.
    """
    if file is not None:
        keys = KeyFile(file, ring, log)
        keys.load()
        yield keys.follow
        return
    async with consumer(kafka, timeout_seconds, max_wait_ms=LONG_WAIT_MS) as source:
        follower = Follower(source, {API_KEYS: ring.fold}, log)
        await follower.catch_up(timeout_seconds)
        yield follower.follow
