"""Requests to the endpoint, with every wait bounded: what may be tried again is, what may not says why."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import aiohttp
from pydantic import TypeAdapter, ValidationError

from schemas.events import ImageFields
from schemas.results import ResultItem

KEY_HEADER: Final = "x-vody-api-key"
_SUBMIT: Final = "/inference/color-classification"
_RESULTS: Final[TypeAdapter[list[ResultItem]]] = TypeAdapter(list[ResultItem])
_DEFAULT_RETRY_SECONDS: Final = 5.0
_SHORT_PAUSE_SECONDS: Final = 0.5
_SHORTEST_PAUSE_SECONDS: Final = 0.05
_BUSY: Final = frozenset({408, 409, 429, 500, 502, 503, 504})


class SubmitError(Exception):
    """Nothing can be submitted or read; the message is one sentence on what to do."""


class RefusedBatchError(Exception):
    """The endpoint refuses one batch and would again; the message is its own."""


@dataclass(frozen=True)
class Patience:
    """How long to go on, in seconds."""

    request: float = 60
    """For one reply."""
    unreachable: float = 10
    """While nothing answers at the address."""
    busy: float = 900
    """While the endpoint asks to come back later."""
    stalled: float = 900
    """While a batch makes no progress."""
    longest_pause: float = 120
    """Of what a reply may ask for between two tries."""


@dataclass(frozen=True)
class Status:
    """How far a batch is."""

    state: str
    succeeded: int
    failed: int
    pending: int

    @property
    def is_finished(self) -> bool:
        """Whether its results are final."""
        return self.state != "in_progress"


@dataclass(frozen=True)
class _Reply:
    status: int
    document: object
    retry_seconds: float


class Client:
    """Talks to one endpoint with one key."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, patience: Patience) -> None:
        self._session = session
        self._endpoint = endpoint.rstrip("/")
        self._patience = patience

    async def submit(self, images: Sequence[ImageFields], idempotency_key: str, *, lenient: bool) -> str:
        """Submit a batch and return its inference id; the same key never makes a second batch."""
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        if lenient:
            headers["Prefer"] = "handling=lenient"
        body = json.dumps([image.model_dump(exclude_none=True) for image in images]).encode()
        document = await self._call("POST", _SUBMIT, headers, body)
        inference_id = document.get("inference_id") if isinstance(document, Mapping) else None
        if not isinstance(inference_id, str):
            raise SubmitError(f"{self._endpoint} does not answer like huestream; check the endpoint")
        return inference_id

    async def status(self, inference_id: str) -> Status:
        """Ask how far a batch is."""
        # another replica may learn of a batch a moment later than the one that took it
        match await self._call("GET", f"/inference/{inference_id}/status", busy=_BUSY | {404}):
            case {
                "status": str(state),
                "progress": {"succeeded": int(succeeded), "failed": int(failed), "pending": int(pending)},
            }:
                return Status(state, succeeded, failed, pending)
        raise SubmitError(f"{self._endpoint} does not answer like huestream; check the endpoint")

    async def results(self, inference_id: str) -> list[ResultItem]:
        """Read the results of a batch, in its order."""
        document = await self._call("GET", f"/inference/{inference_id}/results", {"Accept": "application/json"})
        try:
            return _RESULTS.validate_python(document, strict=False)
        except ValidationError as error:
            raise RefusedBatchError("the results are not in a form that this version reads; update it") from error

    async def _call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        busy: frozenset[int] = _BUSY,
    ) -> object:
        """Ask until there is an answer that asking again would not change; raises what it means."""
        clock = asyncio.get_running_loop().time
        began = heard_at = clock()
        while True:
            reply = await self._try(method, path, headers, body)
            if reply and reply.status == 200:
                return reply.document
            if reply and reply.status not in busy:
                raise _refusal(reply)
            heard_at = clock() if reply else heard_at
            pause = self._pause(reply)
            if reply is None and clock() - heard_at + pause > self._patience.unreachable:
                raise SubmitError(f"nothing answers at {self._endpoint}; is it running, and is this its address?")
            if reply and clock() - began + pause > self._limit(reply):
                raise _gave_up(reply, clock() - began)
            await asyncio.sleep(pause)

    def _pause(self, reply: _Reply | None) -> float:
        if reply is None or reply.status == 404:
            return _SHORT_PAUSE_SECONDS
        return min(max(reply.retry_seconds, _SHORTEST_PAUSE_SECONDS), self._patience.longest_pause)

    def _limit(self, reply: _Reply) -> float:
        return self._patience.unreachable if reply.status == 404 else self._patience.busy

    async def _try(
        self, method: str, path: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> _Reply | None:
        """Ask once; None when nothing came back."""
        timeout = aiohttp.ClientTimeout(total=self._patience.request)
        try:
            async with self._session.request(
                method, f"{self._endpoint}{path}", headers=headers, data=body, timeout=timeout, allow_redirects=False
            ) as reply:
                return _Reply(reply.status, _json(await reply.read()), _retry_seconds(reply.headers.get("Retry-After")))
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise SubmitError(f"{self._endpoint} is not a URL; write it like http://127.0.0.1:8080") from error
        except (aiohttp.ClientError, TimeoutError):
            return None


def with_patience(patience: Patience, stalled: float) -> Patience:
    """Wait for progress as long as that, and no longer for anything else."""
    return replace(patience, stalled=stalled, busy=min(patience.busy, stalled))


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _retry_seconds(header: str | None) -> float:
    return float(header) if header and header.isdecimal() else _DEFAULT_RETRY_SECONDS


def _message(reply: _Reply) -> str:
    match reply.document:
        case {"message": str(message)}:
            return "".join(letter if letter.isprintable() else "?" for letter in message[:300])
    return "no reason given"


def _refusal(reply: _Reply) -> Exception:
    match reply.status:
        case 401:
            return SubmitError(f"{_message(reply)}; give one that is valid with --key or HUESTREAM_API_KEY")
        case 403:
            return SubmitError(_message(reply))
        case 404 | 405 if not isinstance(reply.document, Mapping):
            return SubmitError("there is no huestream endpoint at this address; check --endpoint")
    return RefusedBatchError(f"{_message(reply)} (HTTP status {reply.status})")


def _gave_up(reply: _Reply, seconds: float) -> RefusedBatchError:
    return RefusedBatchError(
        f"{_message(reply)} (HTTP status {reply.status}, still after {seconds:.0f} s); run the command again later"
    )
