"""Processes that analyze beside each other: lines come out in the order of their images, and few are held at a time."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Final

from schemas.events import ItemError
from services.analyze.analyzing import Line, line_of, written
from services.analyze.images import LocalImage

_WINDOW: Final = 16
"""Images that are given out or wait to be written, for each process."""
_CRASHED: Final = ItemError(code="decode_crashed", message="The process that analyzed the image died, twice")
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

Work = Callable[[int, LocalImage], Line]
_Images = deque[tuple[int, LocalImage]]


def lines_of(images: Sequence[LocalImage], processes: int, work: Work = line_of) -> Iterator[Line]:
    """Analyze all images, one line for each, in order; an image that kills its process becomes an error item."""
    waiting: _Images = deque(enumerate(images))
    while waiting:
        yield from _together(waiting, min(processes, len(waiting)), _WINDOW * processes, work)
        suspects: _Images = deque(islice(waiting, _WINDOW * processes))
        for _ in suspects:
            waiting.popleft()
        yield from _one_by_one(suspects, work)


def _one_by_one(suspects: _Images, work: Work) -> Iterator[Line]:
    while suspects:
        yield from _together(suspects, 1, 1, work)
        if suspects:
            yield written(*suspects.popleft(), _CRASHED)


def _together(waiting: _Images, processes: int, window: int, work: Work) -> Iterator[Line]:
    """Take images off the left as their lines come out; when a process dies, those without a line stay."""
    given: deque[Future[Line]] = deque()
    with _pool(processes) as pool:
        while waiting:
            try:
                for index, image in islice(waiting, len(given), window):
                    given.append(_submitted(pool, work, index, image))
                line = given.popleft().result()
            except BrokenProcessPool:
                return
            waiting.popleft()
            yield line


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")  # the processes are the parallelism
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, work: Work, index: int, image: LocalImage) -> Future[Line]:
    """Give an image out; a process that starts here never hears of Ctrl-C, which is the parent's to answer."""
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(work, index, image)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)


def _end_with_parent() -> None:
    """Leave no process behind, however the parent ends."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
