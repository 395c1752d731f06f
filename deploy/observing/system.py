"""The whole system on this machine, as `huestream local` runs it, in parts that can be stopped and started again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from services.local.api_key import publish_local_key
from services.local.brokers import Brokers, prepare_brokers
from services.local.kafka.jars import ensure_jars
from services.local.kafka.java import find_java
from services.local.readiness import not_ready_within
from services.local.stack import Layout, Options, lay_out, mailbox, services
from services.local.supervisor import Program, Supervisor

_KAFKA_SECONDS: Final = 90.0
_READY_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 6.0
_CLASSIFIERS: Final = 2
_LAST_LINES: Final = 5
_FOLDERS: Final = ("logs", "mails", "reports", "state")


class ObserveError(Exception):
    """The run cannot go on; the message is one sentence."""


@dataclass
class System:
    """The processes of a run, in parts: kafka, mailbox, ingest, classifier, reporter."""

    layout: Layout
    programs: dict[str, list[Program]]
    api_key: str = ""
    running: dict[str, Supervisor] = field(default_factory=dict)

    def start(self, part: str) -> None:
        """Start a part, and keep it alive."""
        supervisor = Supervisor(lambda _: None, lambda: None)
        supervisor.start(*self.programs[part])
        self.running[part] = supervisor

    async def stop(self, part: str) -> None:
        """End a part, as an operator would: SIGTERM, then patience."""
        await self.running.pop(part).stop("", _STOP_SECONDS, _STOP_SECONDS)

    def halt(self, part: str) -> None:
        """Let the last process of a part hang: it lives, and does nothing."""
        self._signal(part, signal.SIGSTOP)

    def resume(self, part: str) -> None:
        """Let it go on."""
        self._signal(part, signal.SIGCONT)

    def _signal(self, part: str, number: signal.Signals) -> None:
        for pids in self.running[part].pids().values():
            with suppress(ProcessLookupError, IndexError):  # it may be down just now
                os.kill(pids[-1], number)

    def targets(self) -> dict[str, list[str]]:
        """Addresses of the metrics, by job."""
        found: dict[str, list[str]] = {}
        for name, url in self.layout.metrics().items():
            job = f"huestream-{name.partition('-')[0]}"
            found.setdefault(job, []).append(url.removeprefix("http://").removesuffix("/metrics"))
        return found

    async def until_ready(self) -> None:
        """Wait until every service says that it is ready; raises `ObserveError`."""
        if late := await not_ready_within(self.layout, _READY_SECONDS):
            said = "\n".join(self._last_words(name) for name in late)
            raise ObserveError(f"not ready in time: {', '.join(late)}; the last lines of their logs:\n{said}")

    def _last_words(self, name: str) -> str:
        """The end of a log, since its folder goes with the run."""
        lines = (self.layout.data / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(f"{name}: {line}" for line in lines[-_LAST_LINES:])


@asynccontextmanager
async def running_system(data: Path, jars: Path) -> AsyncIterator[System]:
    """Run everything, with two classifiers, until the block ends."""
    system, brokers = await _prepared(data, jars)
    try:
        for part in ("mailbox", "kafka"):
            system.start(part)
        await brokers.until_ready(_KAFKA_SECONDS)
        await brokers.create_topics(lambda _: None)
        system.api_key = await publish_local_key(data, brokers.access.user("keys"))
        for part in ("ingest", "classifier", "reporter"):
            system.start(part)
        await system.until_ready()
        yield system
    finally:
        await _end(system)


async def _prepared(data: Path, jars: Path) -> tuple[System, Brokers]:
    for name in _FOLDERS:
        (data / name).mkdir(parents=True, exist_ok=True)
    options = Options(data, classifiers=_CLASSIFIERS, allow_networks=("127.0.0.0/8",))
    layout = lay_out(options)
    files = await asyncio.to_thread(ensure_jars, jars, lambda _done, _wanted: None)
    brokers = await prepare_brokers(layout, options, await asyncio.to_thread(find_java), files)
    parts = {"kafka": [*brokers.programs], "mailbox": [mailbox(layout)]}
    for program in services(layout, options, brokers.access):
        parts.setdefault(program.service, []).append(_watchful(program))
    return System(layout, parts), brokers


def _watchful(program: Program) -> Program:
    """Have ingest look at lags each second: ten would be ten minutes at the pace of the rules."""
    return replace(program, environment={**(program.environment or {}), "HUESTREAM_GROUP_LAG_SECONDS": "1"})


async def _end(system: System) -> None:
    for part in ("ingest", "classifier", "reporter", "mailbox", "kafka"):
        if part in system.running:
            system.resume(part)
            await system.stop(part)
