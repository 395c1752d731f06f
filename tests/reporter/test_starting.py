"""A reporter whose Kafka goes away while it starts."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.reporter.world import ENDED_ITSELF

START = """
import asyncio, sys
from services.reporter.settings import ReporterSettings
from services.reporter.stream import Running, faust_app
from services.runtime.logs import configure_logs

async def start():
    given = {"environment": "development", "bootstrap_servers": sys.argv[1], "state_dir": sys.argv[2]}
    settings = ReporterSettings.model_validate(given | {"start_timeout_seconds": 2})
    async with Running(faust_app(settings), asyncio.Event().wait, settings):
        pass

configure_logs("reporter", "info")
asyncio.run(start())
"""


def test_it_ends_itself_past_the_limit_and_says_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # who connects is never answered
        command = [sys.executable, "-c", START, f"127.0.0.1:{silent.getsockname()[1]}", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == ENDED_ITSELF, done.stderr
    assert "Kafka went away while it started" in done.stdout
