"""What an owner reads: status and results of one inference, and the list of all."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from schemas.api import InferenceList
from schemas.events import ApiKey
from services.ingest.cursors import MAX_PAGE, CursorError, cursor_of, position_of
from services.ingest.door import Door
from services.ingest.inferences import Inference, Inferences, Position
from services.ingest.refusals import RefusedError, unavailable
from services.ingest.replies import status_of
from services.ingest.request_headers import choose
from services.ingest.results import FORMS, Results
from services.runtime.kafka import KafkaUnavailableError
from services.runtime.object_store import StoreUnavailableError

_DEFAULT_LIMIT: Final = 20
_WRITE_SECONDS: Final = 30.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Reading:
    """Handles the GET requests."""

    door: Door
    inferences: Inferences
    results: Results
    now: Callable[[], datetime] = _now

    async def status(self, request: web.Request) -> web.Response:
        """Say how far a batch is."""
        inference = self.owned(request, self.door.enter(request, "read"))
        return web.Response(body=status_of(inference).model_dump_json(), content_type="application/json")

    async def results_of(self, request: web.Request) -> web.StreamResponse:
        """Give the results: all of them, or those that exist so far."""
        inference = self.owned(request, self.door.enter(request, "read"))
        self.refuse_expired(inference)
        form = FORMS[choose(request.headers.getall("Accept", ()), FORMS)]
        try:
            pieces = await self.results.of(inference, form)
        except (KafkaUnavailableError, StoreUnavailableError) as error:
            raise unavailable("The results are") from error
        return await _streamed(request, pieces, f"{form}; charset=utf-8" if form == "text/csv" else form)

    async def inferences_of(self, request: web.Request) -> web.Response:
        """List the owner's inferences, newest first."""
        key = self.door.enter(request, "read")
        limit, before = _limit(request.query.get("limit")), _position(request.query.get("cursor"), key)
        found = self.inferences.newest(self.door.keys_of_owner(key), limit + 1, before)
        shown = found[:limit]
        more = cursor_of(shown[-1].position, key.secret_sha256) if len(found) > limit else None
        reply = InferenceList(inferences=tuple(map(status_of, shown)), next_cursor=more)
        return web.Response(body=reply.model_dump_json(), content_type="application/json")

    def owned(self, request: web.Request, key: ApiKey) -> Inference:
        """Find the inference of the path; another owner's is as unknown as one that never was."""
        inference_id = request.match_info["inference_id"].lower()
        found = self.inferences.get(inference_id)
        if found is None or not self.door.owns(key, found.key_id):
            raise RefusedError(404, f"Inference {_printable(inference_id)} was not found")
        return found

    def refuse_expired(self, inference: Inference) -> None:
        """Refuse where the results are gone."""
        if inference.expires_at is not None and inference.is_expired(self.now()):
            date = f"{inference.expires_at:%Y-%m-%d}"
            raise RefusedError(410, f"Results of inference {inference.inference_id} expired on {date}")


async def _streamed(request: web.Request, pieces: AsyncIterator[bytes], content_type: str) -> web.StreamResponse:
    """Send piece by piece; where the store fails in between, or nobody reads, the connection ends before the reply."""
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        async for piece in pieces:
            async with asyncio.timeout(_WRITE_SECONDS):
                await response.write(piece)
    except (StoreUnavailableError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
    return response


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_PAGE:
        raise RefusedError(400, f"Invalid data. The limit must be a number from 1 to {MAX_PAGE}")
    return int(text)


def _position(cursor: str | None, key: ApiKey) -> Position | None:
    try:
        return position_of(cursor, key.secret_sha256) if cursor is not None else None
    except CursorError as error:
        raise RefusedError(400, "Invalid data. The cursor is none that this list has given to this key") from error


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:64])
