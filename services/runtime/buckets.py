"""The folders of buckets that images may be read from, where an operator names some. Pure."""

import re
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_settings import NoDecode

from schemas.fields import BUCKET_PATH_PATTERN, MAX_URL
from services.runtime.settings import FromCommas

_PATH: Final = re.compile(BUCKET_PATH_PATTERN)
_FOLDER: Final = re.compile(r"(?:s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]{1,221}(?:/[^\s,\\%?#\x00-\x1f\x7f-\x9f]*)?")


def _folder(text: str) -> str:
    """Check a bucket or a folder of one, and end it with a slash: `s3://shop/public` is not `s3://shop/public-not`."""
    folder = text.rstrip("/") + "/"
    if not _FOLDER.fullmatch(folder) or not _is_plain(folder.partition("://")[2].strip("/")):
        raise ValueError("expected s3://, gs:// or az://, a bucket and perhaps a folder, separated by commas")
    return folder


IMAGE_BUCKETS: Final = (
    "buckets, or folders of them, that images may be read from beside the web: s3://, gs:// or az:// and a name, "
    "separated by commas; who may submit images may name any object there. The same for ingest and classifier"
)
BucketFolders = Annotated[tuple[Annotated[str, AfterValidator(_folder)], ...], NoDecode, FromCommas]


def is_bucket_path(path: str) -> bool:
    """Say whether a path names an object of a bucket, whoever may read it.

    >>> is_bucket_path("s3://shop/public/a.jpg"), is_bucket_path("https://shop.example/a.jpg"), is_bucket_path("s3://shop/")
    (True, False, False)
    """
    return len(path) <= MAX_URL and _PATH.fullmatch(path) is not None


def folder_of(path: str, folders: Sequence[str]) -> str | None:
    """Find the folder that a path may be read from; None where it lies in none, or could lead out of it.

    >>> folder_of("s3://shop/public/a.jpg", ["s3://shop/public/"])
    's3://shop/public/'
    >>> folder_of("s3://shop/public/../reports/a", ["s3://shop/public/"])
    >>> folder_of("s3://shop/public-not/a.jpg", ["s3://shop/public/"])
    """
    if not is_bucket_path(path) or not _is_plain(path.partition("://")[2]):
        return None
    return next((folder for folder in folders if path.startswith(folder)), None)


def share_objects(folder: str, other: str) -> bool:
    """Say whether one of two folders lies within the other.

    >>> share_objects("s3://shop/", "s3://shop/reports"), share_objects("s3://shop/a/", "s3://shop/ab")
    (True, False)
    """
    one, two = folder.rstrip("/") + "/", other.rstrip("/") + "/"
    return one.startswith(two) or two.startswith(one)


def _is_plain(path: str) -> bool:
    """Say whether each part of a path is a name: stores read the others as a way out, or as the folder itself."""
    return not {"", ".", ".."}.intersection(path.split("/"))
