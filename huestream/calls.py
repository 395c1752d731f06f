"""Calls of the endpoint, with every wait bounded: what may be tried again is, what may not says why."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from huestream.errors import EndpointError, GaveUpError, HuestreamError, KeyRefusedError, RefusedError

_DEFAULT_RETRY_SECONDS: Final = 5.0
_SHORT_PAUSE_SECONDS: Final = 0.5
_SHORTEST_PAUSE_SECONDS: Final = 0.05
BUSY: Final = frozenset({408, 409, 429, 500, 502, 503, 504})


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
class Reply:
    """What came back."""

    status: int
    document: object
    link: str | None
    retry_seconds: float


class Calls:
    """Calls one endpoint through one session, which knows the key."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, patience: Patience) -> None:
        self._session = session
        self._endpoint = endpoint.rstrip("/")
        self._patience = patience

    async def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        busy: frozenset[int] = BUSY,
    ) -> Reply:
        """Ask until there is an answer that asking again would not change; raises `HuestreamError`."""
        clock = asyncio.get_running_loop().time
        began = heard_at = clock()
        while True:
            reply = await self._try(method, path, headers, body)
            if reply and 200 <= reply.status < 300:
                return reply
            if reply and reply.status not in busy:
                raise _refusal(reply)
            heard_at = clock() if reply else heard_at
            pause = self._pause(reply)
            if reply is None and clock() - heard_at + pause > self._patience.unreachable:
                raise EndpointError(f"nothing answers at {self._endpoint}; is it running, and is this its address?")
            if reply and clock() - began + pause > self._limit(reply):
                raise _gave_up(reply, clock() - began)
            await asyncio.sleep(pause)

    def strange(self) -> EndpointError:
        """The error for an answer that is not of this contract."""
        return EndpointError(f"{self._endpoint} does not answer like huestream; check the endpoint")

    def _pause(self, reply: Reply | None) -> float:
        if reply is None or reply.status == 404:
            return _SHORT_PAUSE_SECONDS
        return min(max(reply.retry_seconds, _SHORTEST_PAUSE_SECONDS), self._patience.longest_pause)

    def _limit(self, reply: Reply) -> float:
        return self._patience.unreachable if reply.status == 404 else self._patience.busy

    async def _try(self, method: str, path: str, headers: Mapping[str, str] | None, body: bytes | None) -> Reply | None:
        """Ask once; None when nothing came back."""
        timeout = aiohttp.ClientTimeout(total=self._patience.request)
        try:
            async with self._session.request(
                method, f"{self._endpoint}{path}", headers=headers, data=body, timeout=timeout, allow_redirects=False
            ) as reply:
                document = _json(await reply.read())
                retry_seconds = _retry_seconds(reply.headers.get("Retry-After"))
                return Reply(reply.status, document, reply.headers.get("Link"), retry_seconds)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise EndpointError(f"{self._endpoint} is not a URL; write it like http://127.0.0.1:8080") from error
        except (aiohttp.ClientError, TimeoutError):
            return None


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _retry_seconds(header: str | None) -> float:
    return float(header) if header and header.isdecimal() else _DEFAULT_RETRY_SECONDS


def _message(reply: Reply) -> str:
    match reply.document:
        case {"message": str(message)}:
            return "".join(letter if letter.isprintable() else "?" for letter in message[:300])
    return "no reason given"


def _refusal(reply: Reply) -> HuestreamError:
    match reply.status:
        case 401 | 403:
            return KeyRefusedError(_message(reply))
        case 404 | 405 if not isinstance(reply.document, Mapping):
            return EndpointError("there is no huestream endpoint at this address; check it")
    return RefusedError(f"{_message(reply)} (HTTP status {reply.status})")


def _gave_up(reply: Reply, seconds: float) -> GaveUpError:
    return GaveUpError(f"{_message(reply)} (HTTP status {reply.status}, still after {seconds:.0f} s); try again later")
