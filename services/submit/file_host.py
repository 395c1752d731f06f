"""Files of this machine for a huestream of this machine: served on loopback, and only those that the catalog names."""

import hashlib
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

_HOST: Final = "127.0.0.1"
_FIRST_PORT: Final = 20_000
_PORTS: Final = 12_000
_TRIES: Final = 8


class FileHostError(Exception):
    """The files cannot be served; the message is one sentence."""


class FileHost:
    """Serves files of one folder.

    The port follows from the folder: the same catalog has the same URLs when it is submitted again, and so is the same
    batches.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._named: dict[str, Path] = {}
        self._port = 0

    def address_of(self, path: str) -> str | None:
        """The URL of a file, which is served from then on; None where there is none of that path in the folder."""
        try:
            file = (self._folder / path).resolve()
            if not file.is_relative_to(self._folder) or not file.is_file():
                return None
        except (OSError, ValueError, RuntimeError):
            return None
        name = file.relative_to(self._folder).as_posix()
        self._named[name] = file
        return f"http://{_HOST}:{self._port}/{quote(name)}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve until the block ends; raises `FileHostError`."""
        app = web.Application()
        app.router.add_get("/{name:.+}", self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await self._listen(runner)
            yield
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        first = int.from_bytes(hashlib.sha256(str(self._folder).encode()).digest()[:4], "big")
        for number in range(_TRIES):
            port = _FIRST_PORT + (first + number) % _PORTS
            try:
                await web.TCPSite(runner, _HOST, port).start()
            except OSError:
                continue
            self._port = port
            return
        raise FileHostError("no port is free to serve the files at; try again")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = self._named.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return web.FileResponse(file, headers={"Content-Type": kind})
