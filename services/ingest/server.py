"""The HTTP server under the application: bounded connections, and the contract's form for what is not even HTTP."""

import asyncio
import os
import resource
import socket
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from services.ingest import metrics
from services.ingest.rate_limits import network_of
from services.ingest.refusals import RefusedError, error_name
from services.ingest.settings import IngestSettings
from services.runtime.garbage import note_arrival
from services.runtime.loops import AT_ONCE, Turnstile
from services.runtime.settings import SettingsError

_FILES_FOR_OTHERS: Final = 128
_BACKLOG: Final = 1024


@asynccontextmanager
async def serving(app: web.Application, settings: IngestSettings) -> AsyncIterator[str]:
    """Serve until the block ends; yields the URL. What is in flight then may end within the drain's limit."""
    runner = _Runner(
        app,
        access_log=None,
        shutdown_timeout=settings.drain_timeout_seconds,
        keepalive_timeout=settings.idle_timeout_seconds,
        lingering_time=2.0,
        auto_decompress=False,
    )
    runner.bounds = _Bounds(_possible(settings.max_connections), settings.max_connections_per_address)
    await runner.setup()
    try:
        await _listen(runner, settings)
        yield f"http://{settings.host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: IngestSettings) -> None:
    site = web.TCPSite(runner, settings.host, settings.port, backlog=AT_ONCE)
    try:
        await site.start()
        _lengthen_queue(site)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "the address is unknown"
        raise SettingsError(
            f"HUESTREAM_HOST and HUESTREAM_PORT: {settings.host}:{settings.port} cannot be listened on: {reason}"
        ) from error


def _lengthen_queue(site: web.TCPSite) -> None:
    """Let many connections wait in the kernel, though the loop takes few of them before it looks at others again.

    asyncio takes one number for both.
    """
    for listening in site._server.sockets if isinstance(site._server, asyncio.Server) else ():  # noqa: SLF001
        with socket.fromfd(listening.fileno(), listening.family, listening.type) as same:
            same.listen(_BACKLOG)


def _possible(max_connections: int) -> int:
    """Leave file descriptors for Kafka and the report store: without them, accepting would spin."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(max_connections, files - _FILES_FOR_OTHERS))


class _Runner(web.AppRunner):
    """Makes a server of bounded connections out of aiohttp's own."""

    bounds: "_Bounds"

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        handler = partial(_answered, made.request_handler, Turnstile())
        server = _Server(handler, request_factory=made.request_factory, **made._kwargs)  # noqa: SLF001
        server.bounds = self.bounds
        return server


class _Bounds:
    """How many connections there may be, in all and from one address, and how many there are."""

    def __init__(self, in_all: int, from_one: int) -> None:
        self._in_all = in_all
        self._from_one = from_one
        self._open: Counter[str] = Counter()
        self._count = 0

    def made(self, network: str) -> bool:
        """Count a connection; says whether it is within the bounds."""
        self._open[network] += 1
        self._count += 1
        return self._open[network] <= self._from_one and self._count <= self._in_all

    def lost(self, network: str) -> None:
        """Count a connection no more."""
        self._count -= 1
        self._open[network] -= 1
        if not self._open[network]:
            del self._open[network]


class _Server(web.Server):
    bounds: _Bounds

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ("_network", "_socket")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close at once what is over the limit: a client that opens thousands must not starve the others."""
        super().connection_made(transport)
        metrics.CONNECTIONS.inc()
        note_arrival()
        self._socket = transport
        self._network = network_of((transport.get_extra_info("peername") or ("",))[0])
        if isinstance(self._manager, _Server) and not self._manager.bounds.made(self._network):
            metrics.CONNECTIONS_REFUSED.inc()
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if isinstance(self._manager, _Server):
            metrics.CONNECTIONS.dec()
            self._manager.bounds.lost(self._network)
        super().connection_lost(exc)
        # Requests know their connection, and asyncio's sockets themselves; without these cycles, both are gone at once.
        self._messages.clear()
        self._socket._read_ready_cb = None  # type: ignore[attr-defined]  # noqa: SLF001

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it quotes what was sent
    ) -> web.StreamResponse:
        """Answer what is not HTTP, in the contract's form; it is the client's noise and not logged."""
        if request.writer.output_size > 0:
            raise ConnectionError("the reply has begun") from exc
        sentence = "The request is not valid HTTP" if status < 500 else "The request could not be processed"
        response = _refusal(RefusedError(status, sentence))
        response.force_close()
        return response


async def _answered(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], turnstile: Turnstile, request: web.BaseRequest
) -> web.StreamResponse:
    """Answer in the contract's form what the application is not asked, too: an expectation that is none."""
    await turnstile.enter()
    try:
        return await handler(request)
    except web.HTTPExpectationFailed:
        refused = RefusedError(417, "The only expectation that can be met is 100-continue")
        return _refusal(refused, request.headers.getall("Accept", ()))


def _refusal(refused: RefusedError, accept: Iterable[str] = ()) -> web.Response:
    """Build a reply without the application, with what all its replies have."""
    metrics.REQUESTS.labels("none", metrics.status_name(refused.code)).inc()
    headers = {"x-request-id": uuid.uuid4().hex, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    body, media_type = refused.body(accept)
    return web.Response(
        body=body,
        status=refused.code,
        reason=error_name(refused.code),
        content_type=media_type,
        headers=headers | {"Server": "huestream"},
    )
