import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("module", ["scores.py", "color_sets.py", "goals.py"])
def test_the_examples_of_a_measure_hold(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "doctest", module], cwd=BENCHMARKS, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
