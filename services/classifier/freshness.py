"""What a host allows to be done with its image after it was fetched. Pure.

Source: RFC 9111 (HTTP caching), of which only what concerns a whole body kept for minutes is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_FRESH_SECONDS: Final = 600.0
BATCH_SECONDS: Final = 300.0
"""How long one batch may use an image again where the host says nothing."""


@dataclass(frozen=True)
class Freshness:
    """For how long an image may be used again."""

    batch_seconds: float
    """Within the batch that fetched it; 0 where the host forbids to keep it."""
    any_seconds: float
    """By anybody, without asking."""
    etag: str | None
    """With what to ask whether it has changed, after that time or by others."""

    @property
    def may_be_kept(self) -> bool:
        """Say whether there is any use in keeping it."""
        return self.batch_seconds > 0 or self.any_seconds > 0 or self.etag is not None

    def of_its_batch(self) -> "Freshness":
        """What remains where a redirect led to it: another one may lead elsewhere."""
        return Freshness(self.batch_seconds, 0, None)


FORBIDDEN: Final = Freshness(0, 0, None)


def freshness(headers: Mapping[str, str]) -> Freshness:
    """Read the headers of an answer.

    >>> freshness({"Cache-Control": "public, max-age=60", "Age": "10"}).any_seconds
    50.0
    >>> freshness({"Cache-Control": "no-store"}).may_be_kept
    False
    """
    directives = _directives(headers.get("Cache-Control", ""))
    if "no-store" in directives or "*" in headers.get("Vary", ""):
        return FORBIDDEN
    etag = headers.get("ETag")
    if etag is not None and not (etag.isascii() and etag.isprintable() and len(etag) <= 200):
        etag = None
    if "private" in directives:
        return Freshness(BATCH_SECONDS, 0, None)
    if "no-cache" in directives:
        return Freshness(0, 0, etag)
    age = _seconds(headers.get("Age")) or 0.0
    stated = _seconds(directives.get("s-maxage", directives.get("max-age")))
    if stated is None:
        return Freshness(BATCH_SECONDS, 0, etag)
    fresh = min(max(0.0, stated - age), MAX_FRESH_SECONDS)
    return Freshness(fresh, fresh, etag)


def _directives(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs if name.strip()}


def _seconds(text: str | None) -> float | None:
    """Read a number of seconds of at most nine digits; anything longer is for ever, anything else is nothing."""
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    return float(digits) if len(digits) < 10 else 1e9
