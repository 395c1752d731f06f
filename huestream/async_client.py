"""The client for asyncio."""

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import aiohttp
from pydantic import TypeAdapter, ValidationError

from huestream.calls import BUSY, Calls, Patience
from huestream.errors import GaveUpError, RefusedError
from huestream.values import Image, Status, Submission
from schemas.results import ResultItem

_KEY_HEADER: Final = "x-vody-api-key"
_SUBMIT: Final = "/inference/color-classification"
_RESULTS: Final[TypeAdapter[list[ResultItem]]] = TypeAdapter(list[ResultItem])
_FIRST_LOOK_SECONDS: Final = 0.25
_LONGEST_LOOK_SECONDS: Final = 2.0
_PAGE: Final = re.compile(r"<(/[^<>\s]{1,500})>")

OnStatus = Callable[[Status], None]


def _nobody(_: Status) -> None:
    """Nobody is told of the progress."""


class AsyncClient:
    """Talks to one endpoint with one key, within `async with`."""

    def __init__(self, endpoint: str, key: str, patience: Patience = Patience()) -> None:  # noqa: B008  # a frozen value
        self._endpoint = endpoint
        self._key = key
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={_KEY_HEADER: self._key})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def submit(
        self,
        images: Sequence[Image | Mapping[str, object]],
        *,
        idempotency_key: str | None = None,
        lenient: bool = False,
        webhook_url: str | None = None,
    ) -> Submission:
        """Submit 1 to 250 images as a batch; the same idempotency key never makes a second one.

        Without a key of yours one is made up, so that what is tried again by itself stays one batch, too.
        """
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex, "Content-Type": "application/json"}
        if lenient:
            headers["Prefer"] = "handling=lenient"
        if webhook_url:
            headers["Webhook-URL"] = webhook_url
        reply = await self._calls().call("POST", _SUBMIT, headers, _body(images))
        match reply.document:
            case {"inference_id": str(inference_id)}:
                page = _PAGE.match(reply.link or "")
                return Submission(inference_id, page[1] if page else None)
        raise self._calls().strange()

    async def status(self, inference_id: str) -> Status:
        """Ask how far a batch is."""
        # another replica may learn of a batch a moment later than the one that took it
        reply = await self._calls().call("GET", f"/inference/{inference_id}/status", busy=BUSY | {404})
        match reply.document:
            case {
                "status": str(state),
                "progress": {"succeeded": int(succeeded), "failed": int(failed), "pending": int(pending)},
            }:
                return Status(state, succeeded, failed, pending)
        raise self._calls().strange()

    async def wait(self, inference_id: str, on_status: OnStatus = _nobody) -> Status:
        """Look until a batch is finished; raises `GaveUpError` when it makes no progress for too long."""
        clock = asyncio.get_running_loop().time
        pause, pending, moved_at = _FIRST_LOOK_SECONDS, None, clock()
        while not (status := await self.status(inference_id)).is_finished:
            on_status(status)
            if status.pending != pending:
                pending, moved_at = status.pending, clock()
            elif clock() - moved_at > self._patience.stalled:
                raise GaveUpError(
                    f"inference {inference_id} made no progress for {self._patience.stalled:.0f} s; try again later"
                )
            await asyncio.sleep(pause)
            pause = min(1.3 * pause, _LONGEST_LOOK_SECONDS)
        on_status(status)
        return status

    async def cancel(self, inference_id: str) -> None:
        """End a batch early: what is done stays; raises `RefusedError` where it has ended by itself."""
        await self._calls().call("DELETE", f"/inference/{inference_id}", busy=BUSY - {409})

    async def results(self, inference_id: str, *, wait: bool = False) -> list[ResultItem]:
        """Read the results of a batch in its order: those that exist, or, after a wait, all."""
        if wait:
            await self.wait(inference_id)
        reply = await self._calls().call("GET", f"/inference/{inference_id}/results", {"Accept": "application/json"})
        try:
            return _RESULTS.validate_python(reply.document, strict=False)
        except ValidationError as error:
            raise RefusedError("the results are not in a form that this version reads; update it") from error

    def _calls(self) -> Calls:
        if self._session is None:
            raise RuntimeError("the client is used within `async with`")
        return Calls(self._session, self._endpoint, self._patience)


def _body(images: Sequence[Image | Mapping[str, object]]) -> bytes:
    documents = [image.model_dump(exclude_none=True) if isinstance(image, Image) else dict(image) for image in images]
    return json.dumps(documents).encode()
