"""Serving the results page to whoever has its link: a token reads one inference, until it expires."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from aiohttp import web
from pydantic import SecretStr, TypeAdapter

from schemas.fields import Family
from schemas.findings import PILES
from schemas.results import ResultItem, view_path
from services.ingest.door import Door
from services.ingest.events import Events
from services.ingest.inferences import Inference, Inferences
from services.ingest.pages.markup import page_headers
from services.ingest.pages.view_html import View, gone_page, view_page
from services.ingest.pages.view_rows import Wanted, image_origins
from services.ingest.refusals import RefusedError
from services.ingest.replies import status_of
from services.ingest.results import FORMS, Results
from services.runtime.kafka import KafkaUnavailableError
from services.runtime.object_store import StoreUnavailableError
from services.runtime.signed_tokens import ExpiredTokenError, InvalidTokenError, read_token, token_of

_ITEMS: Final[TypeAdapter[list[ResultItem]]] = TypeAdapter(list[ResultItem])
_FORM_OF: Final = dict(zip(("json", "ndjson", "csv"), FORMS, strict=True))
VIEW_PATH: Final = view_path("{inference_id}")
_MAX_TEXT: Final = 300


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Links:
    """Makes links to results pages; without a secret there are none."""

    secret: SecretStr | None
    days: int

    def header(self, inference_id: str) -> dict[str, str]:
        """Point at the page of a batch, in the header of a reply about it."""
        if self.secret is None:
            return {}
        path = view_path(inference_id)
        token = token_of(self.secret, path, _now() + timedelta(days=self.days))
        return {"Link": f'<{path}?token={token}>; rel="alternate"; type="text/html"; title="results"'}


@dataclass(frozen=True)
class Viewing:
    """Handles the results page, its event stream and its downloads."""

    links: Links
    door: Door
    inferences: Inferences
    results: Results
    events: Events
    now: Callable[[], datetime] = _now

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get(VIEW_PATH, self.view)
        app.router.add_get(f"{VIEW_PATH}/events", self.view_events, allow_head=False)
        app.router.add_get(f"{VIEW_PATH}/results.{{form:csv|json|ndjson}}", self.download)

    async def view(self, request: web.Request) -> web.Response:
        """Show the page, or one that says why there is none."""
        try:
            return await self._page(request)
        except RefusedError as refused:
            return _gone(refused)

    async def view_events(self, request: web.Request) -> web.StreamResponse:
        """Stream the progress that the page shows."""
        return await self.events.stream_of(request, self._opened(request))

    async def download(self, request: web.Request) -> web.Response:
        """Give the results as a file."""
        inference, ending = self._opened(request), request.match_info["form"]
        body = await self._results(inference, ending)
        name = f'attachment; filename="{inference.inference_id}.{ending}"'
        return web.Response(body=body, content_type=_FORM_OF[ending], headers={"Content-Disposition": name})

    async def _page(self, request: web.Request) -> web.Response:
        inference = self._opened(request)
        items = _ITEMS.validate_json(await self._results(inference, "json"))
        wanted = _wanted(request)
        view = View(status_of(inference), items, request.query.get("token", ""), wanted)
        headers = page_headers(image_origins(items) if wanted.pictures else ())
        return web.Response(text=view_page(view), content_type="text/html", headers=headers)

    def _opened(self, request: web.Request) -> Inference:
        """Find the inference that the token opens; raises `RefusedError`, the same one for all that is not."""
        inference_id = request.match_info["inference_id"].lower()
        self._check(view_path(inference_id), request.query.get("token", ""))
        inference = self.inferences.get(inference_id)
        if inference is None:
            raise _not_found()
        self.door.read_by_link(inference_id)
        if inference.is_expired(self.now()):
            raise RefusedError(410, "These results have expired")
        return inference

    def _check(self, subject: str, token: str) -> None:
        if self.links.secret is None:
            raise _not_found()
        try:
            read_token(self.links.secret, subject, token[:100], self.now())
        except ExpiredTokenError as error:
            raise RefusedError(410, "This link has expired") from error
        except InvalidTokenError as error:
            raise _not_found() from error

    async def _results(self, inference: Inference, ending: str) -> bytes:
        try:
            return await self.results.whole(inference, _FORM_OF[ending])
        except (KafkaUnavailableError, StoreUnavailableError) as error:
            raise RefusedError(503, "The results cannot be read just now; try again in a moment") from error


def _not_found() -> RefusedError:
    return RefusedError(404, "There is nothing behind this link")


def _wanted(request: web.Request) -> Wanted:
    query = request.query
    show, family = query.get("show"), query.get("family")
    return Wanted(
        show=next((pile for pile in PILES if pile == show), None),
        family=family if family in get_args(Family) else None,
        category=query["category"][:_MAX_TEXT] if "category" in query else None,
        pictures="pictures" in query,
    )


def _gone(refused: RefusedError) -> web.Response:
    words = {
        404: "The link may be cut short. Open it again from the mail, all of it.",
        410: "Links to results open for a limited time. The report that came by mail holds every detail.",
    }.get(refused.code, "Please try again in a moment.")
    return web.Response(
        text=gone_page(refused.message, words),
        status=refused.code,
        content_type="text/html",
        headers=page_headers() | refused.headers,
    )
