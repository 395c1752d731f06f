"""Images that lie in buckets: only in the folders that the operator names, and none unless one is named."""

import asyncio
from collections.abc import AsyncIterable, Mapping
from typing import Final

from services.classifier.fetched import Fetched, gathered
from services.classifier.freshness import freshness
from services.classifier.memory import Lease
from services.classifier.problems import FetchProblem
from services.classifier.retrying import PASSING_STATUSES
from services.classifier.settings import ClassifierSettings
from services.runtime.buckets import folder_of
from services.runtime.logs import Logger
from services.runtime.object_store import (
    OpenedObject,
    ReadOnlyFolder,
    StoreAnswerError,
    StoreUnavailableError,
    read_only_folder,
)
from services.runtime.settings import SettingsError

_NOT_MODIFIED: Final = 304
_PROBE: Final = "huestream-looks-whether-it-may-read"
_PROBE_SECONDS: Final = 5.0
_WRONG: Final = frozenset(
    {
        "NoSuchBucket",
        "ContainerNotFound",
        "InvalidBucketName",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidToken",
        "ExpiredToken",
        "AuthenticationFailed",
    }
)
"""What stores say of a bucket that is not there or of credentials that are none; that an object is not there, or that
we may not list what is there, is no mistake."""


class BucketImages:
    """Reads images of buckets within the limits of a fetch."""

    def __init__(self, folders: Mapping[str, ReadOnlyFolder], max_bytes: int, silence_seconds: float) -> None:
        self._folders = folders
        self._max_bytes = max_bytes
        self._silence_seconds = silence_seconds

    def folder_of(self, path: str) -> str:
        """Find the folder that a path lies in; raises `FetchProblem` where no folder of the operator's does."""
        folder = folder_of(path, tuple(self._folders))
        if folder is None:
            raise FetchProblem("fetch_blocked_address", "The path is not in a bucket that images may be read from")
        return folder

    async def read(self, path: str, lease: Lease, etag: str | None) -> Fetched:
        """Read an object into a lease; raises `FetchProblem`."""
        folder = self.folder_of(path)
        try:
            async with asyncio.timeout(self._silence_seconds):
                found = await self._folders[folder].open(path.removeprefix(folder), etag)
            content = await gathered(self._heard(found), found.size, self._max_bytes, lease)
        except StoreAnswerError as error:
            if error.status == _NOT_MODIFIED and etag is not None:
                return Fetched(b"", freshness({"ETag": etag}), is_unchanged=True)
            raise _problem(error) from error
        except StoreUnavailableError as error:
            raise FetchProblem("fetch_failed", "The image could not be read from its bucket", may_pass=True) from error
        return Fetched(content, freshness(found.headers))

    async def _heard(self, found: OpenedObject) -> AsyncIterable[bytes]:
        """Pass the pieces on, as long as none lets wait for itself."""
        pieces = aiter(found.pieces)
        while True:
            async with asyncio.timeout(self._silence_seconds):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece


NO_BUCKETS: Final = BucketImages({}, 0, 1)


def _problem(error: StoreAnswerError) -> FetchProblem:
    return FetchProblem(
        "fetch_http_status",
        f"The image's bucket answered with status {error.status}",
        may_pass=error.status in PASSING_STATUSES,
    )


async def bucket_images(settings: ClassifierSettings, log: Logger) -> BucketImages:
    """Open the folders that the settings name; raises `SettingsError` where one of them cannot be meant."""
    folders = {url: _opened(url, settings) for url in settings.image_buckets}
    await asyncio.gather(*(_check(url, folder, log) for url, folder in folders.items()))
    return BucketImages(folders, settings.max_image_bytes, settings.fetch_read_timeout_seconds)


def _opened(url: str, settings: ClassifierSettings) -> ReadOnlyFolder:
    try:
        return read_only_folder(url, settings.image_buckets_endpoint, settings.fetch_timeout_seconds)
    except ValueError as error:
        raise SettingsError(f"HUESTREAM_IMAGE_BUCKETS: {url} cannot be opened: {error}.") from error


async def _check(url: str, folder: ReadOnlyFolder, log: Logger) -> None:
    """Ask for an object that is not there: a store says more of a wrong bucket or wrong credentials.

    A store that does not answer, or not so, does not keep the service from its other images.
    """
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await folder.open(_PROBE)
    except StoreAnswerError as error:
        if error.reason in _WRONG:
            raise SettingsError(f"HUESTREAM_IMAGE_BUCKETS: {url} cannot be read: {error}.") from error
    except (StoreUnavailableError, TimeoutError) as error:
        log.warning("bucket_unavailable", folder=url, reason=type(error).__name__)
