"""The progress of a batch as server-sent events: a full snapshot, what is new in batches, then `done`."""

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from schemas.results import ResultItem
from services.ingest import metrics
from services.ingest.door import Door
from services.ingest.inferences import Inference
from services.ingest.reading import Reading
from services.ingest.refusals import unavailable
from services.ingest.replies import status_of
from services.ingest.results import Result, Results, result_in
from services.ingest.watching import Watchers
from services.runtime.kafka import KafkaUnavailableError, Record
from services.runtime.loops import Turnstile
from services.runtime.object_store import StoreUnavailableError
from services.runtime.tailing import Subscription, Tail

_GATHER_SECONDS: Final = 0.25
_WRITE_SECONDS: Final = 30.0
_LIFETIME_SECONDS: Final = 900.0
_BEGIN_SECONDS: Final = 5.0
_DONE: Final = "done"
_ITEMS: Final[TypeAdapter[list[ResultItem]]] = TypeAdapter(list[ResultItem])


@dataclass
class Events:
    """Handles `GET /inference/{inference_id}/events`."""

    door: Door
    reading: Reading
    results: Results
    watchers: Watchers
    tail: Tail
    max_streams: int
    heartbeat_seconds: float
    turnstile: Turnstile = field(default_factory=Turnstile)
    _open: set[asyncio.Event] = field(default_factory=set)
    _stopping: bool = False

    async def stop(self, _: web.Application) -> None:
        """End all streams; their clients come back with the id of the last event, to another replica."""
        self._stopping = True
        for wake in self._open:
            wake.set()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream the events of a batch until it is finished."""
        inference = self.reading.owned(request, self.door.enter(request, "read"))
        self.reading.refuse_expired(inference)
        return await self.stream_of(request, inference)

    async def stream_of(self, request: web.Request, inference: Inference) -> web.StreamResponse:
        """Stream to somebody who may read this batch."""
        last_id = request.headers.get("Last-Event-ID", "")
        if last_id == _DONE:
            return web.Response(status=204)  # tells a browser not to come back
        if len(self._open) >= self.max_streams:
            metrics.LIMITED.labels("streams").inc()
            raise unavailable("All event streams are taken; further ones are")
        try:
            with self.watchers.watching(inference.inference_id) as wake:
                return await self._stream(request, inference, wake, _offset(last_id))
        except (KafkaUnavailableError, StoreUnavailableError) as error:
            raise unavailable("The results are") from error

    async def _stream(
        self, request: web.Request, inference: Inference, wake: asyncio.Event, after: int
    ) -> web.StreamResponse:
        self._open.add(wake)
        metrics.STREAMS.set(len(self._open))
        try:
            async with self.tail.subscribed(inference.inference_id, wake, _BEGIN_SECONDS) as news:
                progress = _Progress(inference)
                final = await self.results.final(inference)
                if final is None:
                    progress.add(await self.results.log_of(inference))
                response = await _begin(request)
                # The client is gone or does not read, it was long enough, or the store is away: it comes again.
                with suppress(ConnectionError, TimeoutError, StoreUnavailableError):
                    async with asyncio.timeout(_LIFETIME_SECONDS):
                        await self._send(response, progress, news, wake, after, final)
                return response
        finally:
            self._open.discard(wake)
            metrics.STREAMS.set(len(self._open))

    async def _send(
        self,
        response: web.StreamResponse,
        progress: "_Progress",
        news: Subscription,
        wake: asyncio.Event,
        after: int,
        final: bytes | None,
    ) -> None:
        first = progress.snapshot(final) if final is not None or after < 0 else progress.update(after)
        await _write(response, first)
        while final is None and not self._stopping:
            wake.clear()
            progress.add(news.take())
            if update := progress.update():
                await _write(response, update)
            final = await self.results.final(progress.inference)
            if final is None:
                await self._next(response, wake, soon=progress.inference.state != "in_progress")
            elif rest := progress.rest(final):
                await _write(response, rest)
        if final is not None:
            await _write(response, progress.done())

    async def _next(self, response: web.StreamResponse, wake: asyncio.Event, *, soon: bool) -> None:
        """Wait for news, and a moment more so that it comes in batches; a sign of life where there is none."""
        try:
            async with asyncio.timeout(_GATHER_SECONDS if soon else self.heartbeat_seconds):
                await wake.wait()
        except TimeoutError:
            silent = not soon
        else:
            silent = False
            await asyncio.sleep(_GATHER_SECONDS)
        await self.turnstile.enter()  # a thousand may watch the same batch, and ask the store for the same report
        if silent:
            await _write(response, b": heartbeat\n\n")


class _Progress:
    """What of a batch is known and what was sent of it, as the text of events."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self._seen: dict[int, tuple[int, Result]] = {}
        self._sent: set[int] = set()
        self._counts: tuple[object, ...] = ()
        self._offset = -1

    def add(self, records: Iterable[Record]) -> None:
        """Take records of the log; the first of an image wins."""
        for record in records:
            self._offset = max(self._offset, record.offset)
            result = result_in(self.inference, record)
            if result is not None:
                self._seen.setdefault(result.item.index, (record.offset, result))

    def snapshot(self, final: bytes | None) -> bytes:
        """All that is known: the stored results where there are such."""
        self._counts = self._current()
        self._sent.update(self._seen)
        items = self._items(self._seen) if final is None else final
        return self._event("snapshot", b'{"status":' + self._status() + b',"results":' + items + b"}")

    def update(self, after: int | None = None) -> bytes:
        """What is new since the last event; nothing where nothing is."""
        if after is not None:
            self._sent.update(index for index, (offset, _) in self._seen.items() if offset <= after)
        new = self._seen.keys() - self._sent
        if not new and self._counts == self._current():
            return b""
        self._sent.update(new)
        self._counts = self._current()
        return self._results(self._items(new))

    def rest(self, final: bytes) -> bytes:
        """What stands otherwise in the report than in the log: images that were given up, though they ended later."""
        items = [item for item in _ITEMS.validate_json(final) if not self._is_told(item)]
        return self._results(_ITEMS.dump_json(items)) if items else b""

    def _is_told(self, item: ResultItem) -> bool:
        return item.index in self._sent and self._seen[item.index][1].item.status == item.status

    def done(self) -> bytes:
        """The end."""
        return self._event(_DONE, self._status(), _DONE)

    def _results(self, items: bytes) -> bytes:
        progress = status_of(self.inference).progress.model_dump_json().encode()
        return self._event("results", b'{"progress":' + progress + b',"results":' + items + b"}")

    def _items(self, indexes: Iterable[int]) -> bytes:
        return b"[" + b",".join([self._seen[index][1].text for index in sorted(indexes)]) + b"]"

    def _status(self) -> bytes:
        return status_of(self.inference).model_dump_json().encode()

    def _current(self) -> tuple[object, ...]:
        known = self.inference
        return known.state, known.succeeded, known.failed, known.email_status

    def _event(self, name: str, data: bytes, event_id: str | None = None) -> bytes:
        return f"event: {name}\nid: {event_id or self._offset}\ndata: ".encode() + data + b"\n\n"


async def _begin(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    return response


async def _write(response: web.StreamResponse, event: bytes) -> None:
    async with asyncio.timeout(_WRITE_SECONDS):
        await response.write(event)


def _offset(last_id: str) -> int:
    """Read the id of the last event that a client saw; -1 where it saw none.

    >>> _offset("17"), _offset("x")
    (17, -1)
    """
    return int(last_id) if re.fullmatch(r"[0-9]{1,18}", last_id) else -1
