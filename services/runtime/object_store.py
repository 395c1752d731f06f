"""The one door to obstore: whole objects by path, in a folder or a bucket."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import obstore
from obstore.exceptions import BaseError, NotModifiedError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_PIECE_BYTES: Final = 64 * 1024
_STATUS: Final = re.compile(r"status code: ([0-9]{3})")
_STATUSES: Final = {
    NotModifiedError: 304,
    UnauthenticatedError: 401,
    PermissionDeniedError: 403,
    FileNotFoundError: 404,
}
_ONCE: "Final[RetryConfig]" = {"max_retries": 0}
_REASON: Final = re.compile(r"<Code>([A-Za-z]{1,40})</Code>")


class StoreUnavailableError(Exception):
    """The store did not do what it was asked; asked again later, it may."""


class StoreAnswerError(StoreUnavailableError):
    """The store answered, and did not give the object; `reason` is its own word for it, where it has one."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the store answered with status {status}{reason and f' ({reason})'}")
        self.status = status
        self.reason = reason


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


@dataclass(frozen=True)
class OpenedObject:
    """An object that is about to be read."""

    size: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


class ReadOnlyFolder:
    """Objects of a folder of a bucket, read one by one; nothing is tried again."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def open(self, path: str, etag: str | None = None) -> OpenedObject:
        """Open an object, or with a tag only another version of it.

        Raises `StoreAnswerError` (304: it has not changed) and `StoreUnavailableError`; the reading raises them, too.
        """
        with _answered():
            options = {"if_none_match": etag} if etag is not None else None
            found = await obstore.get_async(self._store, path, options=cast("obstore.GetOptions | None", options))
            tag = found.meta["e_tag"]
            headers = {str(name): value for name, value in found.attributes.items()}
            return OpenedObject(found.meta["size"], headers | ({"ETag": tag} if tag else {}), _read(found))


async def _read(found: "obstore.GetResult") -> AsyncIterator[bytes]:
    with _answered():
        async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
            yield bytes(piece)


@contextmanager
def _answered() -> Iterator[None]:
    """Turn errors of the library, whose texts hold paths and addresses, into those of ours."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        text = str(error)
        said = _STATUS.search(text)
        status = (
            int(said[1]) if said else next((code for kind, code in _STATUSES.items() if isinstance(error, kind)), 0)
        )
        if not status:
            raise StoreUnavailableError(f"the store did not answer: {type(error).__name__}") from error
        reason = _REASON.search(text)
        raise StoreAnswerError(status, reason[1] if reason else "") from error


def read_only_folder(url: str, endpoint: str | None, timeout_seconds: float) -> ReadOnlyFolder:
    """Open a folder of a bucket, with the credentials of the environment; `endpoint` is that of an S3-compatible store.

    Raises `ValueError` where the environment does not say enough.
    """
    plain = endpoint is not None and endpoint.startswith("http:")
    limits: ClientConfig = {"timeout": timedelta(seconds=timeout_seconds), "allow_http": plain}
    try:
        if endpoint and url.startswith("s3:"):
            return ReadOnlyFolder(S3Store.from_url(url, endpoint=endpoint, client_options=limits, retry_config=_ONCE))
        return ReadOnlyFolder(from_url(url, client_options=limits, retry_config=_ONCE))
    except BaseError as error:
        raise ValueError(str(error).partition("\n")[0]) from error


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
