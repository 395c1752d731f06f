"""What a connection leaves behind: nothing that a garbage collector must find."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from aiohttp import web

from services.ingest.server import _Connection, serving
from services.ingest.settings import IngestSettings

COUNT = 20
REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n[]"


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(0.01)
        return web.Response(text="{}")

    for name in ("BOOTSTRAP_SERVERS", "REPORT_STORE"):
        monkeypatch.setenv(f"HUESTREAM_{name}", "unused")
    app = web.Application()
    app.router.add_post("/", answer)
    async with serving(app, IngestSettings(host="127.0.0.1", port=0)) as url:
        yield int(url.rpartition(":")[2])


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # what lives is not told of
            await asyncio.sleep(0.01)


def _connections() -> list[_Connection]:
    return [each for each in gc.get_objects() if isinstance(each, _Connection)]


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("requests", [0, 1, 30], ids=["silent", "one", "pipelined"])
async def test_a_connection_that_ends_is_gone_at_once(port: int, requests: int) -> None:
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(COUNT)]
    for writer in writers:
        writer.write(REQUEST * requests)
        await writer.drain()
    await _until(lambda: len(_connections()) == COUNT)
    sockets = [weakref.ref(each.transport) for each in _connections() if each.transport]
    assert len(sockets) == COUNT
    for writer in writers:
        writer.transport.abort()
    await _until(lambda: not _connections() and not any(each() for each in sockets))
