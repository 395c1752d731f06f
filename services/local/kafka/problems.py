"""Why a local Kafka cannot run: each is one sentence that says what to do.

LocalKafkaError
├── DownloadError
├── ChecksumError
├── NoSpaceError
├── NoJavaError
└── NotReadyError
"""

import errno
from pathlib import Path
from typing import Final

DISK_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


class LocalKafkaError(Exception):
    """A local Kafka cannot run; the message is one sentence."""


class DownloadError(LocalKafkaError):
    """A jar could not be fetched."""


class ChecksumError(LocalKafkaError):
    """A jar is not the one that was asked for."""


class NoSpaceError(LocalKafkaError):
    """The disk, or the user's share of it, is full."""


class NoJavaError(LocalKafkaError):
    """No Java that can run Kafka was found."""


class NotReadyError(LocalKafkaError):
    """Kafka did not come up in time."""


def no_space(folder: Path) -> NoSpaceError:
    """Say that the disk is full."""
    return NoSpaceError(f"no space is left for Kafka in {folder}; make room there and run again")


def folder_error(error: OSError, folder: Path) -> LocalKafkaError:
    """Say what keeps a folder from being written."""
    if error.errno in DISK_FULL:
        return no_space(folder)
    return LocalKafkaError(f"Kafka cannot use the folder {folder}: {error.strerror or type(error).__name__}")
