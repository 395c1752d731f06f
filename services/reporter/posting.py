"""Posting a webhook to an address that a customer named: guarded as the addresses of images are."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

import aiohttp

from schemas.fields import IMAGE_URL_PATTERN
from services.reporter.settings import ReporterSettings
from services.runtime.addresses import may_connect
from services.runtime.guarding import guarded_sockets, is_blocked
from services.runtime.names import GuardedResolver, Lookup, system_lookup

_URL: Final = re.compile(IMAGE_URL_PATTERN)
_AT_ONCE: Final = 20
_GONE: Final = 410


@dataclass(frozen=True)
class Posted:
    """How one attempt ended: taken, to be tried again, or never again."""

    outcome: Literal["sent", "retry", "refused"]
    response_code: int | None = None


class Poster:
    """Posts over one session; waiting for a turn costs no receiver its time limit."""

    def __init__(self, session: aiohttp.ClientSession, timeout_seconds: float) -> None:
        self._session = session
        self._timeout_seconds = timeout_seconds
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Try once; no redirect is followed, and nothing of the reply is read but its status."""
        if not _URL.fullmatch(url):
            return Posted("refused")
        async with self._turns:
            try:
                async with (
                    asyncio.timeout(self._timeout_seconds),
                    self._session.post(url, data=body, headers=headers, allow_redirects=False) as reply,
                ):
                    return _posted(reply.status)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:  # whatever a stranger's host does
                return Posted("refused" if is_blocked(error) else "retry")


def _posted(status: int) -> Posted:
    if 200 <= status < 300:
        return Posted("sent", status)
    return Posted("refused" if status == _GONE else "retry", status)


@asynccontextmanager
async def poster(settings: ReporterSettings, lookup: Lookup = system_lookup) -> AsyncIterator[Poster]:
    """Open the one session of a reporter."""

    def guard(host: str, port: int) -> bool:
        return may_connect(host, port, settings.webhook_ports, settings.allow_networks)

    connector = aiohttp.TCPConnector(
        limit=_AT_ONCE,
        socket_factory=guarded_sockets(guard),
        resolver=GuardedResolver(guard, lookup),
        ttl_dns_cache=60,
        force_close=True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),
        headers={"User-Agent": "huestream-webhooks"},
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    ) as session:
        yield Poster(session, settings.webhook_timeout_seconds)
