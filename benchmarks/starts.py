"""What a start of each service costs, and some seconds of rest after it, against one broker.

    .venv/bin/python -m benchmarks.starts [--rounds 3] [--idle 6]

Processor time, user and system, of the whole life of a process and of what it started; wall time until it is ready.
"""

import argparse
import asyncio
import logging
import os
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from services.local.access import Access
from services.local.brokers import Brokers
from services.local.stack import Layout, Options, lay_out, services
from services.local.supervisor import Program
from tests.kafka_fixtures import RunningKafka, fetched_jars, running_kafka

WAIT_SECONDS = 60


def is_ready(layout: Layout, name: str) -> bool:
    url = layout.metrics()[name].replace("/metrics", "/readyz")
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own process
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def life(layout: Layout, program: Program, idle_seconds: float) -> tuple[float, float]:
    """Start, rest, end; returns seconds of wall time to ready, and of processor time in all."""
    began = time.monotonic()
    silent = subprocess.DEVNULL
    process = subprocess.Popen(program.command, env=program.environment, stdout=silent, stderr=silent)
    while not is_ready(layout, program.name):
        if process.poll() is not None or time.monotonic() - began > WAIT_SECONDS:
            raise SystemExit(f"{program.name} did not become ready")
        time.sleep(0.05)
    ready = time.monotonic() - began
    time.sleep(idle_seconds)
    process.send_signal(signal.SIGTERM)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return ready, usage.ru_utime + usage.ru_stime


def measure(kafka: RunningKafka, data: Path, rounds: int, idle_seconds: float) -> None:
    access = Access(kafka.bootstrap)
    asyncio.run(Brokers([kafka.node], [], access).create_topics(print))
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        options = Options(data=data)
        layout = lay_out(options)
        for program in services(layout, options, access):
            found.setdefault(program.name, []).append(life(layout, program, idle_seconds))
    for name, lives in found.items():
        ready, used = (statistics.median(column) for column in zip(*lives, strict=True))
        print(f"{name:12} ready after {ready:.1f} s; {used:.2f} s of processor time in all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=float, default=6)
    arguments = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each attempt to reach a broker that starts
    with tempfile.TemporaryDirectory() as name, running_kafka(Path(name) / "kafka", fetched_jars()) as kafka:
        measure(kafka, Path(name), arguments.rounds, arguments.idle)


if __name__ == "__main__":
    main()
