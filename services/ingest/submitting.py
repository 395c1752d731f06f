"""Taking a batch: the checks of the contract, in its order, up to the queue."""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from aiohttp import HttpVersion11, web

from schemas.api import Accepted, Violation
from services.ingest import metrics
from services.ingest.accepting import Acceptance
from services.ingest.batches import Batch, batch_of, idempotent_id
from services.ingest.door import Door, too_many
from services.ingest.inferences import Inferences
from services.ingest.pages.viewing import Links
from services.ingest.rate_limits import RateExceededError
from services.ingest.refusals import RefusedError
from services.ingest.request_headers import is_clearly_not_json, is_idempotency_key, preferences
from services.ingest.results import Results
from services.ingest.validation import LARGE_BYTES, InvalidBodyError, Item, in_pieces, is_url, read_images
from services.ingest.watching import Watchers
from services.runtime.loops import Stints
from services.runtime.object_store import StoreUnavailableError

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
_NOBODY: Final = str(uuid.UUID(int=0)).encode()
_ACCEPTED: Final = Accepted(inference_id=_NOBODY.decode()).model_dump_json().encode()
INFERENCE_ID: Final = web.RequestKey("inference_id", str)
TRACEPARENT: Final = web.RequestKey("traceparent", str)
IMAGES: Final = web.RequestKey("images", int)
_LOOK_AGAIN_SECONDS: Final = 0.25


@dataclass(frozen=True)
class Submitting:
    """Handles `POST /inference/color-classification`."""

    door: Door
    links: Links
    acceptance: Acceptance
    inferences: Inferences
    watchers: Watchers
    results: Results
    deadline_seconds: float
    body_timeout_seconds: float
    image_buckets: Sequence[str] = ()
    large_bodies: Stints = field(default_factory=Stints)

    async def submit(self, request: web.Request) -> web.Response:
        """Accept a batch, and answer when it is durable."""
        key = self.door.enter(request, "submit")
        _check_headers(request)
        wanted = preferences(request.headers.getall("Prefer", ()))
        # The images are let go as soon as they are encoded, before anything is waited for.
        batch, is_idempotent = self._batch(
            await self._images(await self._body(request), lenient=wanted.lenient), request, key.key_id
        )
        inference_id = batch.record.inference_id
        if webhook_url := _webhook_url(request):
            batch = replace(batch, record=batch.record.model_copy(update={"webhook_url": webhook_url}))
        try:
            await self.acceptance.accept(batch, idempotent=is_idempotent)
        except RateExceededError as error:
            raise too_many(error) from error
        request[INFERENCE_ID], request[IMAGES] = inference_id, batch.record.size
        results = await self._results_within(inference_id, wanted.wait_seconds) if wanted.wait_seconds else None
        headers = wanted.applied(waited=results is not None) | self.links.header(inference_id)
        return _accepted(inference_id, results, headers)

    def _batch(self, images: Sequence[Item], request: web.Request, key_id: str) -> tuple[Batch, bool]:
        """Build the batch; says whether its id is that of an Idempotency-Key."""
        key = _idempotency_key(request)
        inference_id = idempotent_id(key_id, key) if key else str(uuid.uuid4())
        batch = batch_of(images, inference_id, key_id, datetime.now(UTC), self.deadline_seconds)
        if traceparent := request.get(TRACEPARENT):
            batch = replace(batch, traceparent=traceparent)
        return batch, key is not None

    async def _body(self, request: web.Request) -> bytes:
        """Read the body, which the client may only now have been asked to send."""
        try:
            async with asyncio.timeout(None if request.content.is_eof() else self.body_timeout_seconds):
                if awaits_continue(request):
                    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    request.writer.output_size = 0  # the reply itself has not begun
                return await request.read()
        except TimeoutError as error:
            raise RefusedError(408, "The request body did not arrive in time", {"Connection": "close"}) from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise RefusedError(400, "The request body is not what the headers say") from error

    async def _images(self, body: bytes, *, lenient: bool) -> Sequence[Item]:
        """Validate a body; large ones take turns, in pieces, since each may hold the event loop for a while."""
        try:
            if len(body) <= LARGE_BYTES:
                return read_images(body, lenient=lenient, buckets=self.image_buckets)
            return await self.large_bodies.do(in_pieces(body, lenient=lenient, buckets=self.image_buckets))
        except InvalidBodyError as error:
            raise _refused(error) from error

    async def _results_within(self, inference_id: str, seconds: int) -> bytes | None:
        """Wait for the finished results; None when they are not there in time, or cannot be read."""
        with self.watchers.watching(inference_id) as changed, suppress(TimeoutError, StoreUnavailableError):
            async with asyncio.timeout(seconds):
                while True:
                    inference = self.inferences.get(inference_id)
                    if inference is not None and (found := await self.results.final(inference)) is not None:
                        return found
                    await self._next_look(changed, finished=inference is not None and inference.state != "in_progress")
        return None

    async def _next_look(self, changed: asyncio.Event, *, finished: bool) -> None:
        """Wait for a change of the status; a report that is about to be stored says nothing, so look again soon."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_AGAIN_SECONDS if finished else None):
                await changed.wait()
        changed.clear()


def awaits_continue(request: web.Request) -> bool:
    """Say whether a client waits to be asked for its body; HTTP/1.0 knows no such thing."""
    return request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue"


def _check_headers(request: web.Request) -> None:
    """Refuse what need not be read: too long, compressed, or clearly something else than JSON."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large()
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise RefusedError(
            415,
            "The request body must not be compressed; send it without Content-Encoding",
            {"Accept-Encoding": "identity"},
        )
    if is_clearly_not_json(request.headers.get("Content-Type", "")):
        raise RefusedError(
            415, "The request body must be JSON; send it as application/json", {"Accept-Post": "application/json"}
        )


def _refused(error: InvalidBodyError) -> RefusedError:
    metrics.INVALID.labels(error.violations[0].reason).inc()
    violations = [Violation(detail=each.sentence, pointer=f"#{each.pointer}") for each in error.violations]
    return RefusedError(400, str(error), violations=violations)


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not is_idempotency_key(key):
        raise RefusedError(400, "The Idempotency-Key must be 1 to 255 printable ASCII characters")
    return key


def _webhook_url(request: web.Request) -> str | None:
    url = request.headers.get("Webhook-URL")
    if url is not None and not is_url(url):
        raise RefusedError(400, "The Webhook-URL must be an absolute http or https URL")
    return url


def _accepted(inference_id: str, results: bytes | None, headers: dict[str, str]) -> web.Response:
    body = _ACCEPTED.replace(_NOBODY, inference_id.encode())
    if results is not None:
        body = body[:-1] + b',"results":' + results + b"}"
    return web.Response(body=body, content_type="application/json", headers=headers)


def too_large() -> RefusedError:
    """Refuse a body by its size."""
    return RefusedError(413, "The request body is larger than 2 MiB")
