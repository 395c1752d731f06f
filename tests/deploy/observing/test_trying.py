"""Breaking and mending as a real Prometheus and a real Alertmanager see it, of a system that is only told of."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from deploy.observing.faults import Fault, page, ticket
from deploy.observing.prometheus import missing_tools, watched
from deploy.observing.trying import try_fault
from deploy.watching.alerts import JOBS
from deploy.watching.pace import Pace
from services.local.ports import free_ports


class Told:
    """What the metrics say: images go well, or their hosts fail; the mail server takes mails, or is away."""

    def __init__(self) -> None:
        self.broken = False
        self._counts = {"succeeded": 0.0, "fetch_http_status": 0.0, "sent": 0.0, "away": 0.0}
        self._last = time.monotonic()

    def text(self) -> str:
        now = time.monotonic()
        passed, self._last = now - self._last, now
        for name in ("fetch_http_status", "away") if self.broken else ("succeeded", "sent"):
            self._counts[name] += 10 * passed
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> list[str]:
        images, mails = "huestream_classifier_images_total", "huestream_reporter_mails_total"
        return [
            *(f'{images}{{outcome="{name}"}} {self._counts[name]}' for name in ("succeeded", "fetch_http_status")),
            *(f'{mails}{{outcome="{name}"}} {self._counts[name]}' for name in ("sent", "away")),
            f"huestream_reporter_unmailed_batches {5 if self.broken else 0}",
            f'huestream_group_lag_last_success_timestamp_seconds{{group="g"}} {time.time()}',
        ]


@asynccontextmanager
async def exporter(told: Told) -> AsyncIterator[str]:
    app = web.Application()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=told.text())

    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    [port] = free_ports([0])
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def test_what_breaks_fires_is_told_clears_and_is_told_to_be_over(tmp_path: Path) -> None:
    if missing := missing_tools():
        pytest.skip(f"NO {' AND '.join(missing).upper()}, NOTHING WAS WATCHED: Debian has both")
    told = Told()

    async def turn(broken: bool) -> None:  # noqa: FBT001  # a switch
        told.broken = broken

    fault = Fault(
        "all of it",
        lambda: turn(True),
        lambda: turn(False),
        ticket("ImageHostsFailing") | page("MailServerAway"),
    )
    async with exporter(told) as address, watched(tmp_path, {job: [address] for job in JOBS}, Pace(60)) as prometheus:
        async with asyncio.timeout(60):
            while len(await prometheus.targets_up()) < len(JOBS) or await prometheus.firing():  # noqa: ASYNC110  # no event
                await asyncio.sleep(0.5)
        seen = await try_fault(prometheus, fault, lambda _: None)
    assert seen.wrong() == []
    assert set(seen.fired) == fault.must == seen.notified == seen.resolved
