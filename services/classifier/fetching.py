"""From a URL that a stranger named to bytes: guarded at the moment of connecting, limited in bytes and seconds."""

import asyncio
import math
import random
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urljoin

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from schemas.fields import IMAGE_URL_PATTERN, MAX_URL
from services.classifier import metrics
from services.classifier.bucket_images import NO_BUCKETS, BucketImages
from services.classifier.fetched import Fetched, gathered
from services.classifier.freshness import Freshness, freshness
from services.classifier.memory import Lease, NoMemoryError
from services.classifier.problems import DeadlinePassed, FetchProblem
from services.classifier.retrying import PASSING_STATUSES, pause_seconds, retry_after_seconds
from services.classifier.settings import ClassifierSettings
from services.runtime.addresses import may_connect
from services.runtime.buckets import is_bucket_path
from services.runtime.fairness import Turns
from services.runtime.guarding import guarded_sockets, is_blocked
from services.runtime.names import GuardedResolver, Lookup, system_lookup

MAX_REDIRECTS: Final = 3
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Accept": "image/jpeg, image/png, image/webp, image/gif", "Accept-Encoding": "identity"}
_READ_BUFFER_BYTES: Final = 256 * 1024
_CONNECT_SECONDS: Final = 5.0
_DNS_CACHE_SECONDS: Final = 60
_URL: Final = re.compile(IMAGE_URL_PATTERN)
_BLANK_OR_CONTROL: Final = re.compile(r"[\s\x00-\x20\x7f]")
_PASSING_ERRORS: Final = (
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientPayloadError,
    aiohttp.ClientConnectionResetError,
    ConnectionResetError,
)


class HostTurns:
    """Lets a limited number of fetches from one host go on at once; waiting here costs no host its time limit."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._hosts: dict[str, Turns] = {}

    @asynccontextmanager
    async def turn(self, host: str, owner: str, ends_at: float) -> AsyncIterator[None]:
        """Wait for a turn at a host, and hold it until the block ends; raises `DeadlinePassed`."""
        turns = self._hosts.setdefault(host, Turns(self._at_once, leave_some=True))
        await _begun(turns, owner, ends_at)
        try:
            yield
        finally:
            turns.end(owner)
            if turns.is_idle:
                self._hosts.pop(host, None)


async def _begun(turns: Turns, owner: str, ends_at: float) -> None:
    if turns.may_begin(owner) or math.isinf(ends_at):
        await turns.begin(owner)
        return
    try:
        async with asyncio.timeout_at(ends_at):
            await turns.begin(owner)
    except TimeoutError as error:
        raise DeadlinePassed from error


@dataclass(frozen=True)
class _Wish:
    """What is asked for: a URL, and what is known of it."""

    url: str
    etag: str | None


class Fetcher:
    """Fetches images over one session, and tries again what may pass."""

    def __init__(self, session: aiohttp.ClientSession, settings: ClassifierSettings, buckets: BucketImages) -> None:
        self._session = session
        self._buckets = buckets
        self._settings = settings
        self._max_bytes = settings.max_image_bytes
        self._hosts = HostTurns(settings.connections_per_host)

    async def fetch(self, url: str, lease: Lease, ends_at: float = math.inf, etag: str | None = None) -> Fetched:
        """Read an image's bytes into a lease, until a time of the loop's clock at the latest; raises `FetchProblem`.

        With the `etag` of what is known already, the host may say that it has not changed.
        """
        now = asyncio.get_running_loop().time
        async with self._hosts.turn(self._place_of(url), lease.owner, ends_at):
            ends_at = min(ends_at, now() + self._settings.fetch_total_timeout_seconds)
            retries = 0
            while True:
                try:
                    return await self._try_once(_Wish(url, etag), lease, ends_at - now())
                except FetchProblem as problem:
                    lease.release()
                    pause = pause_seconds(problem, retries, ends_at - now(), random.random)
                    if pause is None:
                        raise
                metrics.FETCH_RETRIES.inc()
                retries += 1
                await asyncio.sleep(pause)

    def _place_of(self, url: str) -> str:
        """Name the host, or the folder of a bucket, that is asked; raises `FetchProblem`."""
        return self._buckets.folder_of(url) if is_bucket_path(url) else _checked(url).raw_authority

    async def _try_once(self, wish: _Wish, lease: Lease, seconds: float) -> Fetched:
        try:
            try:
                return await self._within_limit(wish, lease, seconds)
            except NoMemoryError:  # then once more, after a place for the largest image was had
                async with asyncio.timeout(seconds):
                    await lease.wait_for(self._max_bytes)
                    return await self._within_limit(wish, lease, seconds)
        except FetchProblem:
            raise
        except Exception as error:  # hostile input ends here, in a named outcome
            raise _problem(error) from error

    async def _within_limit(self, wish: _Wish, lease: Lease, seconds: float) -> Fetched:
        async with asyncio.timeout(min(seconds, self._settings.fetch_timeout_seconds)):
            if is_bucket_path(wish.url):
                return await self._buckets.read(wish.url, lease, wish.etag)
            return await self._follow(wish, lease)

    async def _follow(self, wish: _Wish, lease: Lease) -> Fetched:
        text = wish.url
        for _ in range(MAX_REDIRECTS + 1):
            url = _checked(text)
            async with await self._answer(url, wish.etag if text == wish.url else None) as response:
                if response.status == _NOT_MODIFIED and wish.etag is not None and text == wish.url:
                    return Fetched(b"", _freshness(response.headers, wish.etag), is_unchanged=True)
                if response.status not in _REDIRECTS:
                    content = await self._read(response, lease)
                    found = _freshness(response.headers)
                    return Fetched(content, found if text == wish.url else found.of_its_batch())
                text = _next_url(str(url), response.headers.get("Location"))
        raise FetchProblem("fetch_too_many_redirects", f"The image host redirected more than {MAX_REDIRECTS} times")

    async def _answer(self, url: URL, etag: str | None) -> aiohttp.ClientResponse:
        """Wait for the head of an answer: a flood of lines before it ends no later than silence does."""
        headers = {"If-None-Match": etag} if etag is not None else None
        async with asyncio.timeout(self._settings.fetch_read_timeout_seconds):
            return await self._session.get(url, allow_redirects=False, headers=headers)

    async def _read(self, response: aiohttp.ClientResponse, lease: Lease) -> bytes:
        _check_answer(response.status, response.headers)
        return await gathered(response.content.iter_any(), response.content_length or 0, self._max_bytes, lease)


def _checked(text: str) -> URL:
    """Check the raw text, before any library repairs it; raises `FetchProblem`."""
    if len(text) > MAX_URL or not _URL.fullmatch(text):
        raise FetchProblem("fetch_blocked_address", "The URL is not an absolute http or https URL of a public host")
    try:
        url = URL(text)
    except ValueError as error:
        raise FetchProblem("fetch_failed", "The URL is not valid") from error
    if not url.raw_host:
        raise FetchProblem("fetch_failed", "The URL is not valid")
    return url


def _check_answer(status: int, headers: Mapping[str, str]) -> None:
    """Let only a plain image pass."""
    if status != 200:
        raise FetchProblem(
            "fetch_http_status",
            f"The image host answered with status {status}",
            may_pass=status in PASSING_STATUSES,
            retry_after_seconds=retry_after_seconds(headers.get("Retry-After"), datetime.now(UTC)),
        )
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchProblem("fetch_failed", "The image host sent a compressed body that was not asked for")


def _freshness(headers: CIMultiDictProxy[str], etag: str | None = None) -> Freshness:
    """Say how long an answer may be used; a header that comes several times counts as one."""
    said = {name: ", ".join(headers.getall(name, ())) for name in ("Cache-Control", "Vary")}
    said |= {name: headers[name] for name in ("ETag", "Age") if name in headers}
    return freshness(({"ETag": etag} if etag is not None else {}) | said)


def _next_url(url: str, location: str | None) -> str:
    if not location:
        raise FetchProblem("fetch_failed", "The image host redirected without saying where to")
    if _BLANK_OR_CONTROL.search(location):  # `urljoin` would drop some of them
        raise FetchProblem("fetch_blocked_address", "The image host redirected to what is not a URL")
    try:
        target = urljoin(url, location)
    except ValueError as error:
        raise FetchProblem("fetch_failed", "The image host redirected to what is not a URL") from error
    if url[:6].lower() == "https:" and target[:5].lower() == "http:":
        raise FetchProblem("fetch_blocked_address", "The image host redirected from https to http")
    return target


def _problem(error: Exception) -> FetchProblem:
    """Name what went wrong; the text never quotes the URL, which may hold secrets."""
    if isinstance(error, TimeoutError):  # before OSError, which it is too
        return FetchProblem("fetch_timeout", "The image host did not answer in time", may_pass=True)
    if is_blocked(error):
        return FetchProblem("fetch_blocked_address", "The image host's address or port is not on the public web")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        again = getattr(error.os_error, "errno", None) == socket.EAI_AGAIN
        return FetchProblem("fetch_dns", "The image host's name has no address", may_pass=again)
    if isinstance(error, aiohttp.InvalidURL):
        return FetchProblem("fetch_failed", "The URL is not valid")
    name, passing = type(error).__name__, isinstance(error, _PASSING_ERRORS)
    return FetchProblem("fetch_failed", f"The image could not be fetched ({name})", may_pass=passing)


@asynccontextmanager
async def fetcher(
    settings: ClassifierSettings, lookup: Lookup = system_lookup, buckets: BucketImages = NO_BUCKETS
) -> AsyncIterator[Fetcher]:
    """Open the one session of a classifier process."""

    def guard(host: str, port: int) -> bool:
        may = may_connect(host, port, settings.fetch_ports, settings.allow_networks)
        if not may:
            metrics.REFUSED_ADDRESSES.inc()
        return may

    connector = aiohttp.TCPConnector(
        limit=2 * settings.in_flight,  # never reached: images in flight are counted elsewhere
        limit_per_host=settings.connections_per_host,
        socket_factory=guarded_sockets(guard),
        resolver=GuardedResolver(guard, lookup),
        ttl_dns_cache=_DNS_CACHE_SECONDS,
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
        read_bufsize=_READ_BUFFER_BYTES,
    ) as session:
        yield Fetcher(session, settings, buckets)
