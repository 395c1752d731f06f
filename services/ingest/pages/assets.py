"""The files of the pages: read once, named by their content, so that a browser may keep them for ever."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

_FOLDER: Final = Path(__file__).parent / "static"
_PREFIX: Final = "/assets/"


@dataclass(frozen=True)
class Asset:
    """One file as it is sent."""

    content: bytes
    content_type: str


def _read() -> tuple[Mapping[str, str], Mapping[str, Asset]]:
    paths, assets = {}, {}
    for file in sorted(_FOLDER.iterdir()):
        content = file.read_bytes()
        name = f"{file.stem}-{hashlib.sha256(content).hexdigest()[:12]}{file.suffix}"
        paths[file.name] = f"{_PREFIX}{name}"
        assets[name] = Asset(content, mimetypes.guess_type(file.name)[0] or "application/octet-stream")
    return paths, assets


_PATHS, _ASSETS = _read()


def asset_path(name: str) -> str:
    """Where a file is served under the name that changes with its content."""
    return _PATHS[name]


def add_assets(app: web.Application) -> None:
    """Serve the files."""
    app.router.add_get(f"{_PREFIX}{{name}}", _asset)


async def _asset(request: web.Request) -> web.Response:
    found = _ASSETS.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    charset = "utf-8" if found.content_type.startswith("text/") else None
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return web.Response(body=found.content, content_type=found.content_type, charset=charset, headers=headers)
