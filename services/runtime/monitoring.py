"""The small server beside every service: its health and its metrics, on a port of its own.

Nobody who asks may harm the service: the metrics are written at most once a second, however often they are asked for,
and whoever hangs loses its connection, to the next one at once where there are many.
"""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from services.runtime.metrics import LOOP_LAG_SECONDS, PROBES, SCRAPES_REFUSED
from services.runtime.settings import SettingsError

Check = Callable[[], str | None]
"""Says in a few words what is wrong, or None when nothing is."""

MAX_CONNECTIONS: Final = 32
CONNECTION_SECONDS: Final = 10.0
_FRESH_SECONDS: Final = 1.0
_LOOP_SECONDS: Final = 0.5
_OPENMETRICS: Final = "application/openmetrics-text"


def _well() -> str | None:
    return None


def _starting() -> str | None:
    return "starting"


class Health:
    """What the probes are told; until a service has started, it lives and is not ready."""

    url: str = ""
    """Where the metrics are."""

    def __init__(self) -> None:
        self._startup: Check = _starting
        self._liveness: Check = _well
        self._readiness: Check = _starting

    def started(self, *, ready: Check, alive: Check = _well) -> None:
        """Note that all is there that work needs, and who says how it goes on."""
        self._startup, self._readiness, self._liveness = _well, ready, alive

    def trouble(self, path: str) -> str | None:
        """Ask for what a probe's path stands for."""
        probe, check = {
            "/startupz": ("startup", self._startup),
            "/healthz": ("liveness", self._liveness),
            "/readyz": ("readiness", self._readiness),
        }[path]
        trouble = check()
        PROBES.labels(probe).set(trouble is None)
        return trouble


PATHS: Final = ("/startupz", "/healthz", "/readyz")


class Exposition:
    """The metrics as text, written at most once a second in each of two formats."""

    def __init__(self, health: Health, registry: CollectorRegistry = REGISTRY) -> None:
        self._health = health
        self._registry = registry
        self._written: dict[bool, tuple[float, bytes]] = {}

    def response(self, accept: str) -> web.Response:
        """Answer in OpenMetrics, which has exemplars, where it is asked for."""
        is_open = _OPENMETRICS in accept
        kind = openmetrics.CONTENT_TYPE_LATEST if is_open else CONTENT_TYPE_PLAIN_0_0_4
        return web.Response(body=self._text(is_open=is_open), headers={"Content-Type": kind})

    def _text(self, *, is_open: bool) -> bytes:
        at, text = self._written.get(is_open, (-_FRESH_SECONDS, b""))
        if time.monotonic() - at >= _FRESH_SECONDS:
            for path in PATHS:
                self._health.trouble(path)
            text = (openmetrics.generate_latest if is_open else generate_latest)(self._registry)
            self._written[is_open] = time.monotonic(), text
        return text


@asynccontextmanager
async def monitoring(
    host: str, port: int, health: Health, connection_seconds: float = CONNECTION_SECONDS
) -> AsyncIterator[str]:
    """Serve until the block ends; yields the URL of the metrics, raises `SettingsError` where it cannot be had."""
    exposition = Exposition(health)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = _answered(request, health, exposition)
        response.force_close()
        return response

    server = _Server(answer, keepalive_timeout=connection_seconds, access_log=None)
    server.connection_seconds = connection_seconds
    runner = web.ServerRunner(server)
    await runner.setup()
    watching = asyncio.create_task(_watch_the_loop())
    try:
        await _listen(runner, host, port)
        health.url = f"http://{host}:{runner.addresses[0][1]}/metrics"
        yield health.url
    finally:
        watching.cancel()
        await runner.cleanup()


async def _listen(runner: web.ServerRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "the address is unknown"
        raise SettingsError(
            f"HUESTREAM_METRICS_HOST and HUESTREAM_METRICS_PORT: {host}:{port} cannot be listened on: {reason}"
        ) from error


def _answered(request: web.BaseRequest, health: Health, exposition: Exposition) -> web.Response:
    if request.method not in {"GET", "HEAD"}:
        return web.Response(status=405, headers={"Allow": "GET, HEAD"})
    if request.path == "/metrics":
        return exposition.response(request.headers.get("Accept", ""))
    if request.path in PATHS:
        trouble = health.trouble(request.path)
        return web.Response(text=f"{trouble or 'ok'}\n", status=503 if trouble else 200)
    return web.Response(text=f"there is nothing here but /metrics, {', '.join(PATHS)}\n", status=404)


class _Server(web.Server):
    """A server of bounded connections, each of a bounded time."""

    connection_seconds: float = CONNECTION_SECONDS

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # handed on as they are
        self.open: OrderedDict[asyncio.Transport, asyncio.TimerHandle] = OrderedDict()

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)

    def made(self, transport: asyncio.Transport) -> None:
        """Take a connection; where there are too many, the oldest one has had its time."""
        if len(self.open) >= MAX_CONNECTIONS:
            SCRAPES_REFUSED.inc()
            next(iter(self.open)).abort()
        loop = asyncio.get_running_loop()
        self.open[transport] = loop.call_later(self.connection_seconds, transport.abort)

    def lost(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        if (ending := self.open.pop(transport, None)) is not None:
            ending.cancel()


class _Connection(RequestHandler):
    __slots__ = ("_made",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._made = transport
        if isinstance(self._manager, _Server) and isinstance(transport, asyncio.Transport):
            self._manager.made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if isinstance(self._manager, _Server) and isinstance(self._made, asyncio.Transport):
            self._manager.lost(self._made)
        super().connection_lost(exc)


async def _watch_the_loop() -> None:
    """See how late the loop comes to what is due: whatever holds it up holds up everything."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LOOP_SECONDS
        await asyncio.sleep(_LOOP_SECONDS)
        LOOP_LAG_SECONDS.observe(max(0.0, loop.time() - due))
