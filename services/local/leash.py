"""Starting a program that ends when its parent ends, also when the parent is killed with -9.

    python leash.py PARENT_PID COMMAND...

On Linux the kernel is asked to send the signal and the program takes this process's place, so that nothing more stays
resident. Elsewhere this process stays, watches the parent, and passes signals on. Standard library only: it starts
with every child.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.5


def leashed(command: Sequence[str]) -> list[str]:
    """Build the command line that runs a program on this process's leash."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _follow_on_linux(parent: int, command: list[str]) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  # our own child's command


def _follow_elsewhere(parent: int, command: Sequence[str]) -> int:
    child = subprocess.Popen(command)  # noqa: S603  # our own child's command
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: child.send_signal(received))
    while child.poll() is None:
        if os.getppid() != parent:
            child.kill()
        time.sleep(_WATCH_SECONDS)
    return child.returncode


def main() -> int:
    """Run the command given on the command line."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        _follow_on_linux(parent, command)
    return _follow_elsewhere(parent, command)


if __name__ == "__main__":
    sys.exit(main())
