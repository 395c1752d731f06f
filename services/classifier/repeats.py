"""The same URL again: within a batch it is fetched once, within minutes as its host allows."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from services.classifier import metrics
from services.classifier.fetched import Fetched
from services.classifier.fetching import Fetcher
from services.classifier.memory import Lease
from services.classifier.problems import FetchProblem

Clock = Callable[[], float]
_ENTRY_BYTES: Final = 1024
"""What keeping an image takes beside its bytes: small ones are not free."""
_OWNERS: Final = 16


@dataclass(frozen=True)
class _Kept:
    """An image that may be used again."""

    fetched: Fetched
    at: float
    owners: tuple[str, ...]
    """For whom it was fetched, or found unchanged; the latest ones."""

    @property
    def size(self) -> int:
        return len(self.fetched.content) + _ENTRY_BYTES

    def serves(self, owner: str, now: float) -> bool:
        age, freshness = now - self.at, self.fetched.freshness
        return age < freshness.any_seconds or (owner in self.owners and age < freshness.batch_seconds)


class Repeats:
    """Fetches images, each URL once as far as its host allows; keeps as many bytes as it is given, the newest used."""

    def __init__(self, fetcher: Fetcher, capacity_bytes: int, now: Clock) -> None:
        self._fetcher = fetcher
        self._capacity = capacity_bytes
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._running: dict[tuple[str, str], asyncio.Future[Fetched | FetchProblem | None]] = {}

    async def fetch(self, url: str, owner: str, lease: Lease, ends_at: float) -> bytes:
        """Give an image's bytes, fetched for this owner or for one before; raises `FetchProblem`."""
        if not self._capacity:
            return (await self._fetcher.fetch(url, lease, ends_at)).content
        kept = self._kept.get(url)
        if kept is not None and kept.serves(owner, self._now()):
            self._kept.move_to_end(url)
            metrics.REPEATS.inc()
            return kept.fetched.content
        running = self._running.get((owner, url))
        if running is not None and (shared := await self._shared(running)) is not None:
            return shared
        return await self._lead(url, owner, lease, ends_at)

    async def _shared(self, running: asyncio.Future[Fetched | FetchProblem | None]) -> bytes | None:
        """Wait for the fetch that another image of the batch has begun; None where it may not be shared."""
        outcome = await asyncio.shield(running)
        if isinstance(outcome, FetchProblem):
            raise FetchProblem(outcome.code, outcome.message)
        if outcome is None or not outcome.freshness.batch_seconds:
            return None
        metrics.REPEATS.inc()
        return outcome.content

    async def _lead(self, url: str, owner: str, lease: Lease, ends_at: float) -> bytes:
        """Fetch, and tell those of the same batch who wait for the same URL."""
        outcome: Fetched | FetchProblem | None = None
        key, told = (owner, url), asyncio.get_running_loop().create_future()
        leads = self._running.setdefault(key, told) is told
        try:
            outcome = await self._fetched(url, owner, lease, ends_at)
        except FetchProblem as problem:
            outcome = problem
            raise
        finally:
            if leads:
                del self._running[key]
            told.set_result(outcome)
        return outcome.content

    async def _fetched(self, url: str, owner: str, lease: Lease, ends_at: float) -> Fetched:
        kept = self._kept.get(url)
        etag = kept.fetched.freshness.etag if kept is not None else None
        fetched = await self._fetcher.fetch(url, lease, ends_at, etag)
        if fetched.is_unchanged and kept is not None:
            metrics.REPEATS.inc()
            fetched = replace(fetched, content=kept.fetched.content)
        self._keep(url, fetched, owner)
        return fetched

    def _keep(self, url: str, fetched: Fetched, owner: str) -> None:
        before = self._kept.pop(url, None)
        self._bytes -= before.size if before else 0
        if not fetched.freshness.may_be_kept or len(fetched.content) > self._capacity // 4:
            return
        earlier = before.owners if before and fetched.is_unchanged else ()
        kept = self._kept[url] = _Kept(fetched, self._now(), (owner, *earlier)[:_OWNERS])
        self._bytes += kept.size
        while self._bytes > self._capacity:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
