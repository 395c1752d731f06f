"""The image host of the demo: files by name, on a free port of loopback."""

import mimetypes
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from aiohttp import web

_HOST = "127.0.0.1"

Files = Mapping[str, bytes | Path]
"""What is served under which name: content, or the file that holds it. It may still grow."""


@asynccontextmanager
async def image_host(files: Files) -> AsyncIterator[str]:
    """Serve until the block ends; yields the URL of the folder, without a slash at its end."""
    app = web.Application()
    app.router.add_get("/{name}", partial(_file, files))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, 0).start()
        yield f"http://{_HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _file(files: Files, request: web.Request) -> web.StreamResponse:
    found = files.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    if isinstance(found, Path):
        return web.FileResponse(found)
    kind = mimetypes.guess_type(request.path)[0] or "application/octet-stream"
    return web.Response(body=found, content_type=kind)
