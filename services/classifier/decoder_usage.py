"""What the decoding processes take: most of a classifier's processor time is theirs, and none of it is in its own."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.classifier import metrics

_LOOK_SECONDS: Final = 5.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """Processor time since the nursery began, its dead children's too; and memory now, shared pages in part."""

    cpu_seconds: float
    memory_bytes: int


def usage_of(nursery: int) -> Usage:
    """Look at a nursery and its children; raises `OSError` where there is no such process, or no such system."""
    children = [int(text) for text in (_PROC / f"{nursery}/task/{nursery}/children").read_text().split()]
    ticks = sum(_times(nursery)) + sum(_own_time(child) for child in children)
    return Usage(ticks / _TICKS, sum(_memory(process) for process in (nursery, *children)))


def _own_time(child: int) -> int:
    """Read the time of a child; of one that has just gone, its parent's is told next time."""
    try:
        return sum(_times(child)[:2])
    except OSError:
        return 0


def _times(process: int) -> list[int]:
    """Read its own time, in user and kernel, and that of the children it has buried, in ticks (proc(5))."""
    fields = (_PROC / f"{process}/stat").read_text().rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]


def _memory(process: int) -> int:
    try:
        lines = (_PROC / f"{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended, and may not be buried yet
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


async def measure_decoders(nursery: Callable[[], int | None]) -> None:
    """Count now and then what the decoding processes took, until canceled."""
    known: dict[int, float] = {}
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        process = nursery()
        if process is None:
            continue
        try:
            usage = usage_of(process)
        except OSError:  # one has just ended, or this is not Linux
            continue
        metrics.DECODER_CPU_SECONDS.inc(max(0.0, usage.cpu_seconds - known.get(process, 0.0)))
        metrics.DECODER_MEMORY_BYTES.set(usage.memory_bytes)
        known = {process: max(usage.cpu_seconds, known.get(process, 0.0))}
