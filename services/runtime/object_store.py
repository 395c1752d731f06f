"""The one door to obstore: whole objects by path, in a folder or a bucket."""

from collections.abc import AsyncIterator
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
        """Write an object; an older one of the same path is replaced."""
        await obstore.put_async(self._store, path, content)

    async def get(self, path: str) -> bytes | None:
        """Read an object, or None where there is none; raises `StoreUnavailableError`."""
        try:
            found = await obstore.get_async(self._store, path)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _unreadable(path, error) from error

    async def stream(self, path: str) -> AsyncIterator[bytes] | None:
        """Open an object to be read piece by piece, or None where there is none; raises `StoreUnavailableError`.

        Its reading raises `StoreUnavailableError` too.
        """
        try:
            found = await obstore.get_async(self._store, path)
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _unreadable(path, error) from error
        return _pieces(path, found)


async def _pieces(path: str, found: "obstore.GetResult") -> AsyncIterator[bytes]:
    try:
        async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
            yield bytes(piece)
    except (BaseError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError(f"{path} could not be read: {type(error).__name__}")


def object_folder(url: str) -> ObjectFolder:
    """Open `s3://…`, `gs://…`, `az://…`, `file:///…` or a plain folder, which is made where it is missing."""
    if "://" in url:
        return ObjectFolder(from_url(url))
    return ObjectFolder(LocalStore(Path(url).expanduser().resolve(), mkdir=True))
