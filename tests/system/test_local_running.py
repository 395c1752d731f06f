"""What a running `huestream local` does when a service dies, and when somebody starts another one."""

import os
import signal
import subprocess
import sys

import pytest

from tests.stack_fixtures import Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.system


def test_a_service_that_dies_is_started_again_with_a_line_that_says_so(stack: Stack) -> None:
    [mailbox] = stack.pids("mailbox")
    os.kill(mailbox, signal.SIGKILL)
    wait_for(lambda: stack.pids("mailbox") not in ([], [mailbox]) or None, "new mailbox", 20)
    assert "mailbox ended (killed by SIGKILL); starting it again" in (stack.data / "local.out").read_text()


def test_a_second_run_in_the_same_folder_is_refused(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "local", "--data", str(stack.data)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "huestream: another huestream local runs in" in done.stderr
