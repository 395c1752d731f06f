"""What a process that decodes may use up, and how it treats its memory."""

import contextlib
import ctypes
import resource
import sys
from dataclasses import dataclass
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_OPEN_FILES: Final = 32


@dataclass(frozen=True)
class DecoderLimits:
    """Limits of one decoding process."""

    max_pixels: int
    cpu_seconds: int
    """Processor time of one image, at most."""
    address_space_bytes: int
    recycle_bytes: int
    """A process that grew beyond this ends after its image."""
    recycle_images: int
    refine_model: str | None = None
    """File of the model that looks a second time."""


def keep_freed_memory() -> None:
    """Tell glibc to reuse what it frees: pages of big images are costly to get anew (2.5 us for each 4 KiB)."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)


def gain_nothing_new() -> None:
    """Ask the kernel to grant this process no privileges that it does not have (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def limit_process(limits: DecoderLimits) -> None:
    """Set what holds for the whole life of the process."""
    _lower(resource.RLIMIT_AS, limits.address_space_bytes)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)


def limit_next_image(limits: DecoderLimits) -> None:
    """Let the next image use so many seconds: the kernel counts over a process's life, and kills past the limit."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def resident_bytes() -> int:
    """The most memory that this process ever had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _lower(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # a system without this limit
        resource.setrlimit(what, (limit, limit))
