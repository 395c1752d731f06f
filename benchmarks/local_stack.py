"""How long `huestream local` takes to be ready, and how much memory the idle stack holds.

    python benchmarks/local_stack.py [--runs 3] [--data DIR]

Seconds are wall time from the start of the process to the ready file, with the jars already there; the first run of a
data folder, which also formats Kafka's storage, is told apart. Memory is the resident set of every process of the
stack, the parent included, ten seconds after it is ready.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from services.local.folders import user_data_folder

WAIT_SECONDS = 120
IDLE_SECONDS = 10


def resident_megabytes(pid: int) -> float:
    """Count a process and all that it started; what they share counts in each."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own_megabytes(pid) + sum(resident_megabytes(int(child)) for child in children)


def own_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def run_once(data: Path) -> tuple[float, dict[str, float]]:
    """Start, wait, measure, stop; returns seconds to ready and megabytes by service."""
    ready_file = data / "ready.json"
    command = [sys.executable, "-m", "services", "local", "--data", str(data), "--ready-file", str(ready_file)]
    began = time.monotonic()
    with (data / "local.out").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        while not ready_file.exists():
            if process.poll() is not None or time.monotonic() - began > WAIT_SECONDS:
                sys.exit(f"huestream local did not become ready: {(data / 'local.out').read_text()}")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        time.sleep(IDLE_SECONDS)
        pids = json.loads(ready_file.read_text())["pids"]
        megabytes = {name: sum(map(resident_megabytes, numbers)) for name, numbers in pids.items()}
        return seconds, megabytes | {"huestream local": own_megabytes(process.pid)}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=user_data_folder())
    arguments = parser.parse_args()
    jars = arguments.data / "jars"
    with tempfile.TemporaryDirectory(prefix="huestream-bench-", ignore_cleanup_errors=True) as folder:
        data = Path(folder)
        if jars.is_dir():
            (data / "jars").symlink_to(jars)
        first, _ = run_once(data)
        runs = [run_once(data) for _ in range(arguments.runs)]
    print(f"first run of a data folder: {first:.1f} s to ready")
    print(
        f"later runs: {statistics.median(seconds for seconds, _ in runs):.1f} s to ready (median of {arguments.runs})"
    )
    names = runs[0][1]
    medians = {name: statistics.median(megabytes[name] for _, megabytes in runs) for name in names}
    for name, megabytes in medians.items():
        print(f"{name:16} {megabytes:6.0f} MB resident, idle")
    print(f"{'in all':16} {sum(medians.values()):6.0f} MB")


if __name__ == "__main__":
    main()
