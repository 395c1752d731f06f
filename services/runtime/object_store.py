"""The one door to obstore: whole objects by path, in a folder or a bucket."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

_PIECE_BYTES: Final = 64 * 1024


class StoreUnavailableError(Exception):
    """The store did not do what it was asked; asked again later, it may."""


class ObjectFolder:
    """Whole objects, written atomically, read or absent."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, path: str, content: bytes) -> None:
        """Write an object; an older one of the same path is replaced. Raises `StoreUnavailableError`."""
        with _unavailable(f"{path} could not be written"):
            await obstore.put_async(self._store, path, content)

    async def get(self, path: str) -> bytes | None:
        """Read an object, or None where there is none; raises `StoreUnavailableError`."""
        with _unavailable(f"{path} could not be read"):
            try:
                found = await obstore.get_async(self._store, path)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def stream(self, path: str) -> AsyncIterator[bytes] | None:
        """Open an object to be read piece by piece, or None where there is none.

        Raises `StoreUnavailableError`, as the reading does.
        """
        with _unavailable(f"{path} could not be read"):
            try:
                return _pieces(path, await obstore.get_async(self._store, path))
            except FileNotFoundError:
                return None

    async def all(self) -> AsyncIterator[Sequence[str]]:
        """List the paths of all objects, some at a time; raises `StoreUnavailableError`."""
        with _unavailable("the store could not be listed"):
            async for found in obstore.list(self._store):
                yield [entry["path"] for entry in found]

    async def delete(self, paths: Sequence[str]) -> None:
        """Remove objects; those that are gone already are no error. Raises `StoreUnavailableError`."""
        with _unavailable("objects could not be removed"):
            for path in paths:
                with suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, path)


async def _pieces(path: str, found: "obstore.GetResult") -> AsyncIterator[bytes]:
    with _unavailable(f"{path} could not be read"):
        async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
            yield bytes(piece)


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise StoreUnavailableError(f"{what}: {type(error).__name__}") from error


def object_folder(url: str) -> ObjectFolder:
    """Open `s3://…`, `gs://…`, `az://…`, `file:///…` or a plain folder, which is made where it is missing."""
    if "://" in url:
        return ObjectFolder(from_url(url))
    return ObjectFolder(LocalStore(Path(url).expanduser().resolve(), mkdir=True))
