"""Several processes of one service, under one parent: one for each core."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Mapping
from typing import Final

from services.runtime.orphans import die_with_parent
from services.runtime.settings import ServiceSettings, SettingsError, read_settings

_RESTART_PAUSE_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 30.0
_EARLY_SECONDS: Final = 120.0
_MAX_EARLY_ENDS: Final = 3
_MOST: Final = 256


def run_processes(service: str, count: int, settings: type[ServiceSettings]) -> int:
    """Run a service several times until SIGINT or SIGTERM; returns the exit status.

    A process that ends is started again. One that ends by itself soon after its start, three times in a row, has said
    why: it ends the others, and its status is that of all.
    """
    try:
        read_settings(settings)  # once, so that what is wrong is said once
    except SettingsError as error:
        sys.stderr.write(f"huestream: {error}\n")
        return 1
    return asyncio.run(_Processes(service, count).run())


class _Processes:
    def __init__(self, service: str, count: int) -> None:
        self._command = [sys.executable, "-m", "services", service]
        self._count = count
        self._stopping = asyncio.Event()
        self._status = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._stopping.set)
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(self._keep(number))
        return self._status

    async def _keep(self, number: int) -> None:
        environment, early_ends = environment_of(number, os.environ), 0
        while not self._stopping.is_set():
            began = time.monotonic()
            status = await self._run_once(environment)
            if self._stopping.is_set():
                return
            is_early = status >= 0 and time.monotonic() - began < _EARLY_SECONDS
            early_ends = early_ends + 1 if is_early else 0
            if early_ends >= _MAX_EARLY_ENDS:
                self._status = status or 1
                self._stopping.set()
                return
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            sys.stderr.write(f"huestream: process {number} {how}; starting it again\n")
            await _first_of(self._stopping.wait(), asyncio.sleep(_RESTART_PAUSE_SECONDS))

    async def _run_once(self, environment: Mapping[str, str]) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._command, env=environment, preexec_fn=die_with_parent, start_new_session=True
        )
        await _first_of(self._stopping.wait(), process.wait())
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
        status = await process.wait()
        if self._stopping.is_set():
            self._status = self._status or status
        return status


async def _first_of(*waits: Coroutine[None, None, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def environment_of(number: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Give each process what must differ: the port of its metrics, its name in the group.

    >>> environment_of(2, {"HUESTREAM_METRICS_PORT": "9100", "HUESTREAM_GROUP_INSTANCE_ID": "a"})
    {'HUESTREAM_METRICS_PORT': '9102', 'HUESTREAM_GROUP_INSTANCE_ID': 'a-2'}
    """
    changed = dict(environment)
    port, name = environment.get("HUESTREAM_METRICS_PORT", ""), environment.get("HUESTREAM_GROUP_INSTANCE_ID", "")
    if port.isdigit() and int(port):
        changed["HUESTREAM_METRICS_PORT"] = str(int(port) + number)
    if name:
        changed["HUESTREAM_GROUP_INSTANCE_ID"] = f"{name}-{number}"
    return changed


def several(text: str) -> int:
    """Read a number of processes from the command line."""
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {_MOST}")
    return int(text)
