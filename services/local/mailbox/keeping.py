"""One file for each mail: written whole or not at all, byte for byte as it came, in a folder that sorts by arrival."""

import os
import re
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

ARRIVAL_FORMAT: Final = "%Y%m%dT%H%M%S.%fZ"
_PART_SUFFIX: Final = ".part"
_MESSAGE_ID: Final = re.compile(rb"^Message-ID:[ \t]*(?:\r?\n[ \t]+)?<?([^>\r\n]{1,200})", re.IGNORECASE | re.MULTILINE)
_END_OF_HEADERS: Final = re.compile(rb"\r?\n\r?\n")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.@-]+")
_SLUG_LENGTH: Final = 80


def keep(folder: Path, content: bytes, arrived_at: datetime) -> Path:
    """Write a mail and return its file; raises `OSError` when it cannot be kept."""
    part = folder / f".{os.getpid()}-{arrived_at:%Y%m%dT%H%M%S%f}{_PART_SUFFIX}"
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return _linked(part, folder, slug_of(content), arrived_at)
    finally:
        part.unlink(missing_ok=True)


def _linked(part: Path, folder: Path, slug: str, arrived_at: datetime) -> Path:
    """Give a finished file its name; a name that is taken moves it by a microsecond, and nothing is overwritten."""
    for step in count():
        moment = arrived_at.astimezone(UTC) + timedelta(microseconds=step)
        path = folder / f"{moment.strftime(ARRIVAL_FORMAT)}-{slug}.eml"
        try:
            path.hardlink_to(part)
        except FileExistsError:
            continue
        return path
    raise AssertionError("unreachable: the count has no end")


def slug_of(content: bytes) -> str:
    """Name a mail by its Message-ID, in letters that are safe in a file name and a URL.

    >>> slug_of(b"Message-ID: <../../etc/passwd@host>")
    'etc-passwd@host'
    """
    found = _MESSAGE_ID.search(_END_OF_HEADERS.split(content, maxsplit=1)[0])
    text = _UNSAFE.sub("-", found.group(1).decode("ascii", "replace")) if found else ""
    return re.sub(r"^[.-]+|[.-]+$|(?<=[.-])[.-]+", "", text[:_SLUG_LENGTH]) or "mail"


def remove_parts(folder: Path) -> None:
    """Take away what a killed process left half written."""
    for part in folder.glob(f".*{_PART_SUFFIX}"):
        part.unlink(missing_ok=True)
