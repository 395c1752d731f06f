"""The HTTP application: routes, and every outcome as a reply of the contract."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import getrandbits
from typing import Final

from aiohttp import HttpVersion11, web

from services.ingest import metrics
from services.ingest.canceling import Cancellation
from services.ingest.door import KEY_ID, Door
from services.ingest.events import Events
from services.ingest.pages.assets import add_assets
from services.ingest.pages.docs import Docs
from services.ingest.pages.viewing import VIEW_PATH, Viewing
from services.ingest.reading import Reading
from services.ingest.refusals import RefusedError, error_name
from services.ingest.submitting import (
    IMAGES,
    INFERENCE_ID,
    MAX_BODY_BYTES,
    TRACEPARENT,
    Submitting,
    awaits_continue,
    too_large,
)
from services.runtime.logs import Logger
from services.runtime.trace_context import HEADER, valid
from services.runtime.tracing import Tracer, Untraced, bound

SUBMIT: Final = "/inference/color-classification"
_ONE: Final = "/inference/{inference_id:(?!color-classification$)[^{}/]+}"
BEGAN: Final = web.RequestKey("began", float)
REQUEST_ID: Final = web.RequestKey("request_id", str)
_ROUTES: Final[Mapping[tuple[str, str], metrics.Route]] = {
    ("POST", SUBMIT): "submit",
    ("GET", "/inference/{inference_id}/status"): "status",
    ("GET", "/inference/{inference_id}/results"): "results",
    ("GET", "/inference/{inference_id}/events"): "events",
    ("DELETE", "/inference/{inference_id}"): "cancel",
    ("GET", "/inferences"): "list",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Endpoint:
    """The handlers, behind one middleware."""

    door: Door
    submitting: Submitting
    reading: Reading
    events: Events
    cancellation: Cancellation
    viewing: Viewing
    docs: Docs
    log: Logger
    tracer: Tracer = field(default_factory=Untraced)

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(middlewares=[self._answer], client_max_size=MAX_BODY_BYTES)
        app.router.add_post(SUBMIT, self.submitting.submit, expect_handler=_expect)
        app.router.add_get("/inference/{inference_id}/status", self.reading.status)
        app.router.add_get("/inference/{inference_id}/results", self.reading.results_of)
        app.router.add_get("/inference/{inference_id}/events", self.events.events, allow_head=False)
        app.router.add_delete(_ONE, self.cancellation.cancel)
        app.router.add_get("/inferences", self.reading.inferences_of)
        self.viewing.add_to(app)
        self.docs.add_to(app)
        add_assets(app)
        app.on_shutdown.append(self.events.stop)
        app.on_response_prepare.append(self._add_headers)
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn every outcome into a reply of the contract, with an id that the logs know too."""
        request[BEGAN] = time.monotonic()
        request[REQUEST_ID] = f"{getrandbits(128):032x}"  # it names, and guards nothing
        route = _route_of(request)
        if route == "submit":
            response = await self._traced(request, handler)
        else:
            response = await self._handled(request, handler)
        metrics.REQUESTS.labels(route, metrics.status_name(response.status)).inc()
        bound(self.log, request.get(TRACEPARENT)).info(
            "request",
            request_id=request[REQUEST_ID],
            method=request.method,
            path=request.path[:100],
            status=response.status,
            key_id=request.get(KEY_ID),
            inference_id=request.get(INFERENCE_ID),
            images=request.get(IMAGES),
            seconds=round(time.monotonic() - request[BEGAN], 4),
        )
        return response

    async def _traced(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Begin the trace of a submission, or go on with its client's."""
        with self.tracer.begin("submit", valid(request.headers.get(HEADER))) as span:
            if span.traceparent is not None:
                request[TRACEPARENT] = span.traceparent
            response = await self._handled(request, handler)
            span.note(status=response.status, images=request.get(IMAGES, 0), inference_id=request.get(INFERENCE_ID, ""))
            return response

    async def _handled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as refused:
            return _refusal(request, refused)
        except web.HTTPException as error:
            return _refusal(request, _refused_by_aiohttp(request, error))
        except Exception:  # ours: the client learns no more than that
            self.log.exception("request_failed", request_id=request[REQUEST_ID])
            return _refusal(request, RefusedError(500, "The request could not be processed; it may be sent again"))

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add what every reply has, streams too."""
        if BEGAN not in request:
            return  # it was answered before it came here
        metrics.REQUEST_SECONDS.labels(_route_of(request)).observe(time.monotonic() - request[BEGAN])
        response.headers["x-request-id"] = request[REQUEST_ID]
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Server"] = "huestream"
        response.headers.update(self.door.rate_headers(request, response.headers.get("Retry-After")))


def _route_of(request: web.Request) -> metrics.Route:
    """Name what was asked for: by the route that answers, never by the path."""
    resource = request.match_info.route.resource
    if resource is None or request.match_info.http_exception is not None:
        return "none"
    if resource.canonical.startswith(VIEW_PATH):
        return "view"
    return _ROUTES.get((request.method, resource.canonical), "pages")


async def _expect(request: web.Request) -> None:
    """Ask for the body only when it is read: after the key was checked."""
    if request.version >= HttpVersion11 and not awaits_continue(request):
        raise web.HTTPExpectationFailed


def _refused_by_aiohttp(request: web.Request, error: web.HTTPException) -> RefusedError:
    match error:
        case web.HTTPRequestEntityTooLarge():
            return too_large()
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return RefusedError(405, f"{request.method[:20]} is not allowed here; use {allowed}", {"Allow": allowed})
        case web.HTTPNotFound():
            return RefusedError(404, "There is nothing at this path")
    return RefusedError(error.status, "The request cannot be answered")


def _refusal(request: web.Request, refused: RefusedError) -> web.Response:
    body, media_type = refused.body(request.headers.getall("Accept", ()))
    return web.Response(
        body=body,
        status=refused.code,
        reason=error_name(refused.code),
        headers=refused.headers,
        content_type=media_type,
    )
