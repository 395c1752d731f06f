"""The HTTP application: routes, and every outcome as a reply of the contract."""

import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.ingest import metrics
from services.ingest.canceling import Cancellation
from services.ingest.door import KEY_ID, Door
from services.ingest.events import Events
from services.ingest.openapi import document
from services.ingest.pages.assets import add_assets
from services.ingest.pages.docs import Docs
from services.ingest.pages.viewing import Viewing
from services.ingest.reading import Reading
from services.ingest.refusals import RefusedError, error_name
from services.ingest.request_headers import PROBLEM, wants_problem
from services.ingest.submitting import IMAGES, INFERENCE_ID, MAX_BODY_BYTES, Submitting, too_large
from services.runtime.logs import Logger

SUBMIT: Final = "/inference/color-classification"
_ONE: Final = "/inference/{inference_id:(?!color-classification$)[^{}/]+}"
BEGAN: Final = web.RequestKey("began", float)
REQUEST_ID: Final = web.RequestKey("request_id", str)
_DOCUMENT: Final = json.dumps(document())

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

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(middlewares=[self._answer], client_max_size=MAX_BODY_BYTES)
        app.router.add_post(SUBMIT, self.submitting.submit, expect_handler=_expect)
        app.router.add_get("/inference/{inference_id}/status", self.reading.status)
        app.router.add_get("/inference/{inference_id}/results", self.reading.results_of)
        app.router.add_get("/inference/{inference_id}/events", self.events.events, allow_head=False)
        app.router.add_delete(_ONE, self.cancellation.cancel)
        app.router.add_get("/inferences", self.reading.inferences_of)
        app.router.add_get("/openapi.json", _openapi)
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
        request[REQUEST_ID] = uuid.uuid4().hex
        response = await self._handled(request, handler)
        metrics.REQUESTS.labels(str(response.status)).inc()
        self.log.info(
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
        metrics.REQUEST_SECONDS.observe(time.monotonic() - request[BEGAN])
        response.headers["x-request-id"] = request[REQUEST_ID]
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Server"] = "huestream"
        response.headers.update(self.door.rate_headers(request, response.headers.get("Retry-After")))


async def _openapi(_: web.Request) -> web.Response:
    return web.Response(body=_DOCUMENT, content_type="application/json")


async def _expect(request: web.Request) -> None:
    """Ask for the body only when it is read: after the key was checked."""
    if request.headers.get("Expect", "").lower() != "100-continue":
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
    is_problem = wants_problem(request.headers.getall("Accept", ()))
    body = (refused.problem() if is_problem else refused.error()).model_dump_json()
    return web.Response(
        body=body,
        status=refused.code,
        reason=error_name(refused.code),
        headers=refused.headers,
        content_type=PROBLEM if is_problem else "application/json",
    )
