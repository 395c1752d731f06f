import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("count", ["0", "-1", "many", "1000"])
def test_a_number_of_processes_that_makes_no_sense_is_refused(count: str) -> None:
    command = [sys.executable, "-m", "services", "classifier", "--processes", count]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "expected" in done.stderr


def test_a_wrong_setting_is_said_once_for_all_processes() -> None:
    command = [sys.executable, "-m", "services", "classifier", "--processes", "3"]
    environment = os.environ | {"HUESTREAM_ALLOW_NETWORKS": "10.0.0.0/8"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environment)
    assert done.returncode == 1
    assert done.stderr.count("HUESTREAM_ALLOW_NETWORKS is for development") == 1
    assert len(done.stderr.splitlines()) == 1
