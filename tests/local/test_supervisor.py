"""Children that are kept alive, and ended whatever they think of it."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from services.local.supervisor import Program, Supervisor

LIMIT_SECONDS = 30
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""


def program(folder: Path, service: str) -> Program:
    return Program(service, service, [sys.executable, "-c", STUBBORN], folder / service)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not condition():  # noqa: ASYNC110  # processes are watched from outside
            await asyncio.sleep(0.02)


async def test_a_child_that_dies_is_started_again_and_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    changes: list[dict[str, list[int]]] = []
    supervisor = Supervisor(told.append, lambda: changes.append(supervisor.pids()))
    supervisor.start(program(tmp_path, "mailbox"))
    await until(lambda: len(changes) == 1)
    [[first]] = changes[0].values()
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(changes) == 2)
    assert told == [f"mailbox ended (killed by SIGKILL); starting it again. Its log: {tmp_path / 'mailbox'}"]
    assert changes[1]["mailbox"] not in ([first], [])
    await supervisor.stop("mailbox", 0.1, 0.1)


async def test_children_that_do_not_end_when_told_to_are_killed_within_the_time_for_all(tmp_path: Path) -> None:
    supervisor = Supervisor(print, lambda: None)
    services = ("ingest", "kafka")
    supervisor.start(*(program(tmp_path, service) for service in services))
    await until(lambda: all((tmp_path / service).exists() for service in services))
    await until(lambda: all("ready" in (tmp_path / service).read_text() for service in services))
    async with asyncio.timeout(LIMIT_SECONDS):
        await supervisor.stop("kafka", services_seconds=0.2, all_seconds=0.3)
    assert supervisor.pids() == {service: [] for service in services}
