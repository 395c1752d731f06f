"""The whole system on this machine, as `huestream local` runs it, in parts that can be stopped and started again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import aiohttp

from schemas.topics import TOPICS
from services.local.access import Access
from services.local.api_key import publish_local_key
from services.local.kafka.jars import ensure_jars
from services.local.kafka.java import find_java
from services.local.kafka.node import (
    Node,
    bootstrap_servers,
    broker_command,
    java_command,
    prepare_nodes,
    wait_until_ready,
)
from services.local.stack import Layout, Options, lay_out, mailbox, services
from services.local.supervisor import Program, Supervisor
from services.runtime.topic_admin import topic_admin

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
    bootstrap: str
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
            with suppress(ProcessLookupError):
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
        pending = {name: url.replace("/metrics", "/readyz") for name, url in self.layout.metrics().items()}
        try:
            async with asyncio.timeout(_READY_SECONDS), aiohttp.ClientSession() as session:
                while pending:
                    pending = {name: url for name, url in pending.items() if not await _is_ready(session, url)}
                    await asyncio.sleep(0.2)
        except TimeoutError as error:
            said = "\n".join(self._last_words(name) for name in pending)
            raise ObserveError(
                f"not ready in time: {', '.join(pending)}; the last lines of their logs:\n{said}"
            ) from error

    def _last_words(self, name: str) -> str:
        """The end of a log, since its folder goes with the run."""
        lines = (self.layout.data / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(f"{name}: {line}" for line in lines[-_LAST_LINES:])


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


@asynccontextmanager
async def running_system(data: Path, jars: Path) -> AsyncIterator[System]:
    """Run everything, with two classifiers, until the block ends."""
    for name in _FOLDERS:
        (data / name).mkdir(parents=True, exist_ok=True)
    options = Options(data, classifiers=_CLASSIFIERS, allow_networks=("127.0.0.0/8",))
    system = await _prepared(lay_out(options), options, jars)
    try:
        for part in ("mailbox", "kafka"):
            system.start(part)
        await _prepare_kafka(system)
        for part in ("ingest", "classifier", "reporter"):
            system.start(part)
        await system.until_ready()
        yield system
    finally:
        await _end(system)


async def _prepared(layout: Layout, options: Options, jars: Path) -> System:
    [(port, controller)] = layout.kafka_ports
    node = Node(1, port, controller, layout.data / "kafka" / "node-1")
    files = await asyncio.to_thread(ensure_jars, jars, lambda _done, _wanted: None)
    java = await asyncio.to_thread(find_java)
    command = java_command(layout.data / "kafka", java, files)
    await prepare_nodes(layout.data / "kafka", [node], command)
    access = Access(bootstrap_servers([node]))
    parts = {"kafka": [_broker(node, command)], "mailbox": [mailbox(layout)]}
    for program in services(layout, options, access):
        parts.setdefault(program.service, []).append(_watchful(program))
    return System(layout, parts, access.bootstrap_servers)


def _watchful(program: Program) -> Program:
    """Have ingest look at lags each second: ten would be ten minutes at the pace of the rules."""
    return replace(program, environment={**(program.environment or {}), "HUESTREAM_GROUP_LAG_SECONDS": "1"})


def _broker(node: Node, java: Sequence[str]) -> Program:
    return Program("kafka", "kafka-1", broker_command(node, java), node.log_path)


async def _prepare_kafka(system: System) -> None:
    [(port, controller)] = system.layout.kafka_ports
    node = Node(1, port, controller, system.layout.data / "kafka" / "node-1")
    await wait_until_ready([node], _KAFKA_SECONDS, system.bootstrap)
    async with topic_admin(system.bootstrap) as admin:
        await admin.create(TOPICS, 1)
    system.api_key = await publish_local_key(system.layout.data, system.bootstrap)


async def _end(system: System) -> None:
    for part in ("ingest", "classifier", "reporter", "mailbox", "kafka"):
        if part in system.running:
            system.resume(part)
            await system.stop(part)
