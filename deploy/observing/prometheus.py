"""A real Prometheus and a real Alertmanager beside the system, and what they say."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from deploy.observing.system import ObserveError
from deploy.watching.files import yaml_text
from deploy.watching.pace import Pace
from deploy.watching.rules import groups
from deploy.watching.scraping import Times, alertmanager, found_at, prometheus
from services.local.ports import free_ports
from services.local.supervisor import Program, Supervisor

HOST: Final = "127.0.0.1"
FAST: Final = Times("1s", "1s", group_wait="1s", group_interval="1s", repeat_interval="1h")
"""Prometheus knows no less than a second between two scrapes that is of use; Alertmanager waits no longer than that."""
TOOLS: Final = ("prometheus", "prometheus-alertmanager")
_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0


def missing_tools() -> list[str]:
    """Which of Debian's programs are not on the PATH."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


@dataclass
class Notifications:
    """What Alertmanager told its receivers: state, name and severity, in order."""

    told: list[tuple[str, str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take one notification."""
        content = await request.json()
        for alert in content["alerts"]:
            self.told.append((alert["status"], alert["labels"]["alertname"], request.match_info["receiver"]))
        return web.Response()


@dataclass
class Prometheus:
    """Asks a Prometheus."""

    url: str
    session: aiohttp.ClientSession
    notifications: Notifications

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate now; raises `ObserveError` with what Prometheus says."""
        return await self._ask("query", {"query": expression})

    async def query_range(self, expression: str, begin: float, end: float, step: float) -> list[dict[str, Any]]:
        """Evaluate over a time; raises `ObserveError` with what Prometheus says."""
        times = {"start": f"{begin:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        return await self._ask("query_range", {"query": expression, **times})

    async def firing(self) -> set[tuple[str, str]]:
        """Names and severities of the alerts that fire now, but for the dead man's."""
        found = await self._get("alerts", {})
        return {
            (alert["labels"]["alertname"], alert["labels"]["severity"])
            for alert in found["alerts"]
            if alert["state"] == "firing" and alert["labels"]["alertname"] != "Watchdog"
        }

    async def targets_up(self) -> Mapping[str, int]:
        """How many targets of each job can be scraped."""
        return {one["metric"]["job"]: int(one["value"][1]) for one in await self.query("sum by (job) (up)")}

    async def _ask(self, how: str, words: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._get(how, words))["result"]
        return found

    async def _get(self, how: str, words: Mapping[str, str]) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/api/v1/{how}", params=dict(words)) as answer:
            content = await answer.json()
        if content["status"] != "success":
            raise ObserveError(f"Prometheus refuses {words.get('query', how)}: {content['error']}")
        found: dict[str, Any] = content["data"]
        return found


@asynccontextmanager
async def watched(folder: Path, targets: Mapping[str, Sequence[str]], pace: Pace) -> AsyncIterator[Prometheus]:
    """Watch targets until the block ends, with the rules at this pace."""
    own, notified, caught = free_ports([0, 0, 0])
    _configure(folder, targets, pace, f"{HOST}:{notified}", f"http://{HOST}:{caught}")
    async with AsyncExitStack() as stack:
        notifications = Notifications()
        await stack.enter_async_context(_receiver(notifications, caught))
        supervisor = Supervisor(lambda _: None, lambda: None)
        supervisor.start(*_programs(folder, own, notified))
        stack.push_async_callback(supervisor.stop, "", _STOP_SECONDS, _STOP_SECONDS)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        for port in (own, notified):
            await _until_ready(session, f"http://{HOST}:{port}/-/ready", folder)
        yield Prometheus(f"http://{HOST}:{own}", session, notifications)


def _configure(folder: Path, targets: Mapping[str, Sequence[str]], pace: Pace, notified: str, caught: str) -> None:
    receivers = {
        name: {"webhook_configs": [{"url": f"{caught}/{name}", "send_resolved": True}]} for name in ("page", "ticket")
    }
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "rules.yml": {"groups": groups(pace)},
        "prometheus.yml": prometheus(found_at(targets), notified, ["rules.yml"], FAST),
        "alertmanager.yml": alertmanager(receivers, FAST),
    }
    for name, content in contents.items():
        (folder / name).write_text(yaml_text(content))


def _programs(folder: Path, own: int, notified: int) -> list[Program]:
    asked = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={HOST}:{own}",
        "--enable-feature=exemplar-storage",
    ]
    notifying = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'notified'}",
        f"--web.listen-address={HOST}:{notified}",
        "--cluster.listen-address=",
    ]
    return [
        Program("prometheus", "prometheus", asked, folder / "prometheus.log"),
        Program("alertmanager", "alertmanager", notifying, folder / "alertmanager.log"),
    ]


@asynccontextmanager
async def _receiver(notifications: Notifications, port: int) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/{receiver}", notifications.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield
    finally:
        await runner.cleanup()


async def _until_ready(session: aiohttp.ClientSession, url: str, folder: Path) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await _answers(session, url):
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise ObserveError(f"{url} did not become ready; the logs in {folder} say why") from error


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
