"""Keeping child processes alive, and ending all of them."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.local.leash import leashed

_QUICK_DEATH_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.3
_LONGEST_PAUSE_SECONDS: Final = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """One child process as it is to be run."""

    service: str
    """What it is, for people and scripts; several programs may be of one service."""
    name: str
    command: Sequence[str]
    log_path: Path
    environment: Mapping[str, str] | None = None
    """All of its environment variables; None for those of the parent."""


class Child:
    """A program that is started again whenever it dies, until it is told to stop."""

    def __init__(self, program: Program, say: Say, changed: Callable[[], None]) -> None:
        self.program = program
        self._say = say
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id, or None while it is down."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def run(self) -> None:
        """Start, and start again with growing pauses while it dies quickly."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping:
            began = loop.time()
            status = await self._run_once()
            if self._stopping:
                return
            pause = _FIRST_PAUSE_SECONDS if loop.time() - began > _QUICK_DEATH_SECONDS else pause
            self._say(
                f"{self.program.name} ended ({_reason(status)}); starting it again. Its log: {self.program.log_path}"
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _run_once(self) -> int:
        with self.program.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(self.program.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.program.environment,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which ends the children in order
            )
        self._changed()
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end, then make it."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), grace_seconds)
        except TimeoutError:
            process.kill()
            await process.wait()


def _reason(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


class Supervisor:
    """All children, in the order in which they were started."""

    def __init__(self, say: Say, changed: Callable[[], None]) -> None:
        self._say = say
        self._changed = changed
        self._children: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, *programs: Program) -> None:
        """Start programs and keep them alive."""
        for program in programs:
            child = Child(program, self._say, self._changed)
            self._children.append(child)
            self._tasks.append(asyncio.create_task(child.run()))

    def pids(self) -> dict[str, list[int]]:
        """The process ids by service; one that is down just now is left out."""
        found: dict[str, list[int]] = {}
        for child in self._children:
            pids = found.setdefault(child.program.service, [])
            if child.pid is not None:
                pids.append(child.pid)
        return found

    async def stop(self, last: str, services_seconds: float, all_seconds: float) -> None:
        """End everything else first, then the children of the service `last` in what is left of the time for all."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + all_seconds
        others = [child for child in self._children if child.program.service != last]
        await asyncio.gather(*(child.stop(services_seconds) for child in others))
        left = ends_at - loop.time()
        await asyncio.gather(*(child.stop(left) for child in self._children if child not in others))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def python_command(*words: str) -> list[str]:
    """Run a module of ours with the interpreter that runs us."""
    return [sys.executable, "-m", *words]
