"""From a URL that a stranger named to bytes: guarded at the moment of connecting, limited in bytes and seconds."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urljoin

import aiohttp
from aiohttp.connector import AddrInfoType

from schemas.fields import IMAGE_URL_PATTERN, MAX_URL
from services.classifier.addresses import may_connect
from services.classifier.problems import FetchProblem
from services.classifier.settings import ClassifierSettings

MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Accept": "image/jpeg, image/png, image/webp, image/gif", "Accept-Encoding": "identity"}
_CHUNK_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 5.0
_CONNECTIONS_PER_HOST: Final = 16
_URL: Final = re.compile(IMAGE_URL_PATTERN)


class BlockedAddressError(OSError):
    """The address is not one that may be connected to."""

    def __init__(self) -> None:
        # Constant, and the same for each leg of happy eyeballs: aiohttp merges errors only when all texts are equal.
        super().__init__("blocked address")


class Fetcher:
    """Fetches images over one session."""

    def __init__(self, session: aiohttp.ClientSession, max_bytes: int, timeout_seconds: float) -> None:
        self._session = session
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds

    async def fetch(self, url: str) -> bytes:
        """Read an image's bytes, over at most 3 redirects; raises `FetchProblem`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._follow(url)
        except FetchProblem:
            raise
        except Exception as error:  # hostile input ends here, in a named outcome
            raise _problem(error) from error

    async def _follow(self, url: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            _check(url)
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._read(response)
                url = _next_url(url, response.headers.get("Location"))
        raise FetchProblem("fetch_too_many_redirects", f"The image host redirected more than {MAX_REDIRECTS} times")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 200:
            raise FetchProblem("fetch_http_status", f"The image host answered with status {response.status}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchProblem("fetch_failed", "The image host sent a compressed body that was not asked for")
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            content += chunk
            if len(content) > self._max_bytes:
                raise self._too_large()
        return bytes(content)

    def _too_large(self) -> FetchProblem:
        return FetchProblem("image_too_large", f"The image has more than {self._max_bytes} bytes")


def _check(url: str) -> None:
    """Check the raw text, before any library repairs it."""
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        raise FetchProblem("fetch_blocked_address", "The URL is not an absolute http or https URL of a public host")


def _next_url(url: str, location: str | None) -> str:
    if not location:
        raise FetchProblem("fetch_failed", "The image host redirected without saying where to")
    target = urljoin(url, location)
    if url[:6].lower() == "https:" and target[:5].lower() == "http:":
        raise FetchProblem("fetch_blocked_address", "The image host redirected from https to http")
    return target


def _problem(error: Exception) -> FetchProblem:
    """Name what went wrong; the text never quotes the URL, which may hold secrets."""
    if isinstance(error, TimeoutError):  # before OSError, which it is too
        return FetchProblem("fetch_timeout", "The image host did not answer in time")
    if _is_blocked(error):
        return FetchProblem("fetch_blocked_address", "The image host's address is not on the public web")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FetchProblem("fetch_dns", "The image host's name has no address")
    if isinstance(error, aiohttp.InvalidURL):
        return FetchProblem("fetch_failed", "The URL is not valid")
    return FetchProblem("fetch_failed", f"The image could not be fetched ({type(error).__name__})")


def _is_blocked(error: Exception) -> bool:
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    return isinstance(error, BlockedAddressError) or str(error) == str(BlockedAddressError())


def _guard(settings: ClassifierSettings) -> Callable[[AddrInfoType], socket.socket]:
    """Make the sockets that may be made: the last check, for names, literals and every redirect."""

    def guarded_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        host, port = str(address[0]), int(str(address[1]))
        if not may_connect(host, port, settings.fetch_ports, settings.allow_networks):
            raise BlockedAddressError
        return socket.socket(family, kind, protocol)

    return guarded_socket


@asynccontextmanager
async def fetcher(settings: ClassifierSettings) -> AsyncIterator[Fetcher]:
    """Open the one session of a classifier process."""
    connector = aiohttp.TCPConnector(
        limit=settings.in_flight,
        limit_per_host=_CONNECTIONS_PER_HOST,
        socket_factory=_guard(settings),
        ttl_dns_cache=60,
    )
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=_CONNECT_SECONDS, sock_read=settings.fetch_read_timeout_seconds
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        headers=_HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    ) as session:
        yield Fetcher(session, settings.max_image_bytes, settings.fetch_timeout_seconds)
