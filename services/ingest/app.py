"""The HTTP application: routes, the order of the checks, and errors in the contract's form."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn

from aiohttp import web

from schemas.events import ApiKey, BatchSubmitted, ImageFields, InferenceStatus
from services.ingest import metrics, replies
from services.ingest.accepting import Acceptance
from services.ingest.batches import batch_of, idempotent_id
from services.ingest.inferences import Inferences
from services.ingest.refusals import RefusedError
from services.ingest.results import ReadLog, results_of
from services.ingest.validation import InvalidBodyError, read_images
from services.runtime.api_keys import KeyRefusedError, KeyRing
from services.runtime.kafka import KafkaUnavailableError
from services.runtime.logs import Logger
from services.runtime.object_store import ObjectFolder

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
KEY_HEADER: Final = "x-vody-api-key"
_SUBMIT: Final = "/inference/color-classification"
_NOT_JSON: Final = re.compile(
    r"text/(?:html|xml|css|csv)|image/|audio/|video/|multipart/|application/(?:xml|octet-stream|pdf|zip)", re.IGNORECASE
)
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Endpoint:
    """What the handlers need."""

    keys: KeyRing
    inferences: Inferences
    acceptance: Acceptance
    store: ObjectFolder
    read_log: ReadLog
    deadline_seconds: float
    body_timeout_seconds: float
    log: Logger

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(middlewares=[self._answer], client_max_size=MAX_BODY_BYTES)
        app.router.add_post(_SUBMIT, self._submit)
        app.router.add_get("/inference/{inference_id}/status", self._status)
        app.router.add_get("/inference/{inference_id}/results", self._results)
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn every outcome into a reply of the contract, with an id that the logs know too."""
        request_id = uuid.uuid4().hex
        response = await self._handled(request, handler)
        response.headers["x-request-id"] = request_id
        metrics.REQUESTS.labels(str(response.status)).inc()
        self.log.info(
            "request", request_id=request_id, method=request.method, path=request.path[:100], status=response.status
        )
        return response

    async def _handled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as refused:
            return _error(refused)
        except web.HTTPRequestEntityTooLarge:
            return _error(_too_large())
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return _error(RefusedError(405, f"{request.method} is not allowed here; use {allowed}", {"Allow": allowed}))
        except web.HTTPNotFound:
            return _error(RefusedError(404, "There is nothing at this path"))
        except Exception:  # ours: the client learns no more than that
            self.log.exception("request_failed")
            return _error(RefusedError(500, "The request could not be processed; it may be sent again"))

    async def _submit(self, request: web.Request) -> web.Response:
        key = self._authenticated(request, "submit")
        _check_headers(request)
        idempotency_key = _idempotency_key(request)
        lenient = "handling=lenient" in _preferences(request)
        images = _images(await self._body(request), lenient=lenient)
        inference_id = idempotent_id(key.key_id, idempotency_key) if idempotency_key else str(uuid.uuid4())
        batch = batch_of(images, inference_id, key.key_id, _now(), self.deadline_seconds)
        await self.acceptance.accept(batch, idempotent=idempotency_key is not None)
        self.log.info("batch_accepted", inference_id=inference_id, key_id=key.key_id, size=len(images))
        headers = {"Preference-Applied": "handling=lenient"} if lenient else None
        return web.json_response(replies.accepted(inference_id), headers=headers)

    async def _status(self, request: web.Request) -> web.Response:
        _, status = self._inference(request)
        return web.json_response(replies.status_reply(status))

    async def _results(self, request: web.Request) -> web.Response:
        batch, _ = self._inference(request)
        try:
            items = await results_of(batch, self.store, self.read_log)
        except KafkaUnavailableError as error:
            message = "The results are unavailable; retry after 5 seconds"
            raise RefusedError(503, message, {"Retry-After": "5"}) from error
        return web.json_response([item.model_dump(mode="json") for item in items])

    def _authenticated(self, request: web.Request, scope: str) -> ApiKey:
        try:
            key = self.keys.authenticate(request.headers.get(KEY_HEADER), _now())
        except KeyRefusedError as error:
            raise RefusedError(401, str(error)) from error
        if scope not in key.scopes:
            raise RefusedError(403, f"API key is not allowed to {scope} images")
        return key

    async def _body(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(self.body_timeout_seconds):
                return await request.read()
        except TimeoutError as error:
            raise RefusedError(408, "The request body did not arrive in time") from error

    def _inference(self, request: web.Request) -> tuple[BatchSubmitted, InferenceStatus]:
        """Find the inference of the path, if it belongs to the owner of the key."""
        key = self._authenticated(request, "read")
        inference_id = request.match_info["inference_id"].lower()
        batch, status = self.inferences.batch(inference_id), self.inferences.status(inference_id)
        submitter = self.keys.get(batch.key_id) if batch else None
        if batch is None or status is None or submitter is None or submitter.owner != key.owner:
            _not_found(inference_id)
        return batch, status


def _check_headers(request: web.Request) -> None:
    """Refuse what need not be read: too long, compressed, or clearly something else than JSON."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RefusedError(415, "The request body must not be compressed; send it without Content-Encoding")
    if _NOT_JSON.match(request.headers.get("Content-Type", "")):
        raise RefusedError(415, "The request body must be JSON; send it as application/json")


def _images(body: bytes, *, lenient: bool) -> list[ImageFields]:
    try:
        return read_images(body, lenient=lenient)
    except InvalidBodyError as error:
        raise RefusedError(400, str(error)) from error


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise RefusedError(400, "The Idempotency-Key must be 1 to 255 printable ASCII characters")
    return key


def _preferences(request: web.Request) -> set[str]:
    return {part.strip().lower() for line in request.headers.getall("Prefer", ()) for part in line.split(",")}


def _too_large() -> RefusedError:
    return RefusedError(413, "The request body is larger than 2 MiB")


def _not_found(inference_id: str) -> NoReturn:
    raise RefusedError(404, f"Inference {inference_id[:64]} was not found")


def _error(refused: RefusedError) -> web.Response:
    return web.json_response(refused.body(), status=refused.code, headers=refused.headers)


def _now() -> datetime:
    return datetime.now(UTC)
