"""`huestream local` begins and ends cleanly, whatever ends it."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stack_fixtures import alive, start_stack

pytestmark = pytest.mark.system

SERVICES = {"kafka", "mailbox", "ingest", "classifier", "reporter"}


def test_sigterm_ends_everything_in_time_and_the_next_run_keeps_key_and_data(tmp_path: Path) -> None:
    first = start_stack(tmp_path, "--classifiers", "2")
    ready, pids = first.ready(), first.all_pids()
    assert set(ready["pids"]) == SERVICES
    assert len(ready["pids"]["classifier"]) == 2
    assert set(ready["metrics"]) == {"ingest", "classifier", "classifier-2", "reporter"}
    began = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - began < 10
    assert alive(pids) == []
    assert not first.ready_file.exists()

    second = start_stack(tmp_path)
    assert second.ready()["api_key"] == ready["api_key"]
    assert second.call("/inference/color-classification", []).status == 400  # the key holds
    second.kill()


def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "services", "local", "--data", str(tmp_path), "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"huestream: port {port} is in use; choose another one" in done.stderr
