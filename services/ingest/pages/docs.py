"""Serving the documentation: the guide, the references, and the two documents they are made of."""

import json
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from aiohttp import web

from schemas.api import Accepted
from schemas.fields import MAX_BATCH
from schemas.results_words import ADVICE, CAUSES
from services.ingest.openapi import document as openapi_document
from services.ingest.pages.api_html import api_content
from services.ingest.pages.assets import asset_path
from services.ingest.pages.asyncapi import document as asyncapi_document
from services.ingest.pages.examples import one_result, own_image, webhook_example
from services.ingest.pages.markup import page, page_headers, shown_json
from services.ingest.pages.topics_html import topics_content

_GUIDE: Final = Template((Path(__file__).parent / "guide.html").read_text("utf-8"))
_MENU: Final = (("/docs", "Guide"), ("/docs/api", "API"), ("/docs/topics", "Topics"))
_BUCKETS: Final = (
    ", or in the buckets that this endpoint reads from, as <code>s3://bucket/folder/shoe.jpg</code> (likewise "
    "<code>gs://</code> and <code>az://</code>); your operator knows which"
)
_INFERENCE_ID: Final = "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10"


@dataclass(frozen=True)
class Docs:
    """Handles the documentation; what it tells of limits are those of this endpoint."""

    public_url: str | None
    requests_per_minute: int
    images_per_minute: int
    reads_per_minute: int
    link_days: int
    reads_buckets: bool = False

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        for path, show in (("/docs", self.guide), ("/docs/api", self.api), ("/docs/topics", self.topics)):
            app.router.add_get(path, show)
        app.router.add_get("/openapi.json", self.openapi)
        app.router.add_get("/asyncapi.json", self.asyncapi)

    async def guide(self, request: web.Request) -> web.Response:
        """Show the guide, with calls as they are written here."""
        origin = self.public_url.rstrip("/") if self.public_url else str(request.url.origin())
        return _shown("Guide", "/docs", f"<h1>Guide</h1>{self._guide(escape(origin))}")

    async def api(self, _: web.Request) -> web.Response:
        """Show the reference of the endpoint."""
        return _shown("API", "/docs/api", self._api)

    async def topics(self, _: web.Request) -> web.Response:
        """Show the topics."""
        return _shown("Topics", "/docs/topics", self._topics)

    async def openapi(self, _: web.Request) -> web.Response:
        """Give the endpoint as a document."""
        return web.Response(body=self._openapi, content_type="application/json")

    async def asyncapi(self, _: web.Request) -> web.Response:
        """Give the topics as a document."""
        return web.Response(body=self._asyncapi, content_type="application/json")

    @cached_property
    def _api(self) -> str:
        return api_content(openapi_document(reads_buckets=self.reads_buckets))

    @cached_property
    def _topics(self) -> str:
        return topics_content(asyncapi_document())

    @cached_property
    def _openapi(self) -> bytes:
        return json.dumps(openapi_document(reads_buckets=self.reads_buckets)).encode()

    @cached_property
    def _asyncapi(self) -> bytes:
        return json.dumps(asyncapi_document()).encode()

    def _guide(self, origin: str) -> str:
        return _GUIDE.substitute(
            origin=origin,
            example_body=shown_json(own_image(f"{origin}{asset_path('example.jpg')}")),
            example_image=f"{origin}{asset_path('example.jpg')}",
            accepted=shown_json(Accepted(inference_id=_INFERENCE_ID).model_dump()),
            result=shown_json(one_result()),
            image_errors="".join(map(_error_row, sorted(set(CAUSES)))),
            max_batch=MAX_BATCH,
            requests=f"{self.requests_per_minute:,}",
            images=f"{self.images_per_minute:,}",
            reads=f"{self.reads_per_minute:,}",
            link_days=self.link_days,
            buckets=_BUCKETS if self.reads_buckets else "",
            webhook_body=shown_json(webhook_example(origin)),
        )


def _shown(title: str, path: str, content: str) -> web.Response:
    links = "".join(f'<a href="{to}"{" aria-current=page" if to == path else ""}>{words}</a>' for to, words in _MENU)
    menu = f'<nav class="menu" aria-label="Documentation">{links}</nav>'
    text = page(f"{title} - huestream", f'<div class="docs">{content}</div>', ["docs.js"], menu)
    return web.Response(text=text, content_type="text/html", headers=page_headers())


def _error_row(code: str) -> str:
    return f"<tr><td><code>{code}</code></td><td>{escape(CAUSES[code])}</td><td>{escape(ADVICE[code])}</td></tr>"
