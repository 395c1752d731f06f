"""Replicas of the endpoint as processes of their own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.runtime.environment import environment_with
from tests.commands import variables
from tests.waiting import wait_for


@dataclass(frozen=True)
class Replica:
    process: subprocess.Popen[bytes]
    output: Path

    def processor_seconds(self) -> float:
        """Time that it has kept a processor busy, in steps of 10 ms."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Memory that it holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024

    def lines(self) -> list[dict[str, Any]]:
        complete = self.output.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in complete.splitlines()]

    def find(self, event: str) -> dict[str, Any] | None:
        return next((line for line in self.lines() if line["event"] == event), None)

    @property
    def url(self) -> str:
        listening = self.find("listening")
        assert listening is not None
        return str(listening["url"])

    @property
    def monitoring_url(self) -> str:
        listening = self.find("listening")
        assert listening is not None
        return str(listening["metrics"]).removesuffix("/metrics")


@contextmanager
def replica(bootstrap: str, report_store: Path, **settings: object) -> Iterator[Replica]:
    """Run one, ready; what it says is shown when it does not come up."""
    standard = {"bootstrap_servers": bootstrap, "topic_replicas": 1, "host": "127.0.0.1", "port": 0}
    standard |= {"gather_window_seconds": 1}
    given = standard | {"report_store": report_store} | settings
    environment = environment_with(variables(given))
    with tempfile.NamedTemporaryFile(prefix="ingest-", suffix=".log") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services", "ingest"], stdout=output, stderr=subprocess.PIPE, env=environment
        )
        running = Replica(process, Path(output.name))
        try:
            wait_for(lambda: running.find("listening") or process.poll() is not None or None, "replica", 30)
            assert process.poll() is None, running.output.read_text() + _errors(process)
            yield running
        finally:
            process.kill()
            process.communicate(timeout=10)


def _errors(process: subprocess.Popen[bytes]) -> str:
    return process.communicate(timeout=10)[1].decode()
