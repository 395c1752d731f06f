"""Starting a program that ends when its parent ends, also when the parent is killed with -9.

    python leash.py PARENT_PID COMMAND...

The program takes this process's place and keeps its process id, so that signals and `wait` reach it directly. On Linux
the kernel kills it with its parent (with the parent's thread that started it: start it from one that lives on, such as
the main one). Elsewhere a small watcher stays beside it. Standard library only: it starts with every child.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.5


def leashed(command: Sequence[str]) -> list[str]:
    """Build the command line that runs a program on this process's leash."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def die_with_parent() -> None:
    """Ask the kernel to kill this process, and what takes its place, when its parent ends (Linux)."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL):
        raise OSError(ctypes.get_errno(), "prctl failed")


def leave_watcher(parent: int) -> None:
    """Leave a process behind that kills this one, and what takes its place, when the parent ends."""
    program = os.getpid()
    if os.fork() == 0:
        try:
            _watch(program, parent)
        finally:
            os._exit(0)


def _watch(program: int, parent: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the program
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)  # whoever reads the program's output is to see its end
    while os.getppid() == program:
        if not _lives(parent):
            os.kill(program, signal.SIGKILL)
        time.sleep(_WATCH_SECONDS)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Run the command given on the command line."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        die_with_parent()
    else:
        leave_watcher(parent)
    if os.getppid() != parent:  # it ended before anybody watched
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  # our own child's command
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
