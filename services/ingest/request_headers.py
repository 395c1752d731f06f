"""What a request's headers ask for. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MAX_WAIT_SECONDS: Final = 60
PROBLEM: Final = "application/problem+json"
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")
_NOT_JSON: Final = re.compile(
    r"\s*(?:text/(?:html|xml|css|csv)|image/|audio/|video/|multipart/"
    r"|application/(?:xml|pdf|zip|gzip|x-tar))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Preferences:
    """What `Prefer` asks for (RFC 7240), as far as it is understood; everything else is ignored."""

    lenient: bool = False
    wait_seconds: int | None = None

    def applied(self, *, waited: bool) -> dict[str, str]:
        """The header that says what was done of it."""
        parts = ["handling=lenient"] * self.lenient + [f"wait={self.wait_seconds}"] * waited
        return {"Preference-Applied": ", ".join(parts)} if parts else {}


_NONE: Final = Preferences()


def preferences(lines: Sequence[str]) -> Preferences:
    """Read all `Prefer` headers; of a preference named twice the first one counts.

    >>> preferences(["wait=90, handling=lenient", "wait=5"])
    Preferences(lenient=True, wait_seconds=60)
    """
    if not lines:
        return _NONE
    found: dict[str, str] = {}
    for part in ",".join(lines).split(","):
        name, _, value = part.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    wait = found.get("wait", "")
    seconds = min(int(wait), MAX_WAIT_SECONDS) if re.fullmatch(r"[0-9]{1,9}", wait) else None
    return Preferences(lenient=found.get("handling") == "lenient", wait_seconds=seconds)


def is_idempotency_key(text: str) -> bool:
    """Say whether a text is 1 to 255 printable ASCII characters."""
    return _IDEMPOTENCY_KEY.fullmatch(text) is not None


def is_clearly_not_json(content_type: str) -> bool:
    """Say whether a Content-Type names something else; a missing or vague one may be JSON.

    >>> [is_clearly_not_json(text) for text in ("", "text/plain; charset=x", "application/x-www-form-urlencoded")]
    [False, False, False]
    """
    return _NOT_JSON.match(content_type) is not None


def choose(accept: Iterable[str], offers: Sequence[str]) -> int:
    """Number the offer that `Accept` likes most (RFC 9110, section 12.5.1); the first one where it likes none.

    >>> choose(["text/csv, application/*;q=0.5"], ["application/json", "text/csv"])
    1
    """
    ranges = [_range(part) for part in ",".join(accept).split(",") if part.strip()]
    qualities = [_quality(ranges, offer) for offer in offers]
    return qualities.index(max(qualities))


def wants_problem(accept: Iterable[str]) -> bool:
    """Say whether errors are wanted as problem details: they must be named."""
    return any(name == PROBLEM and quality > 0 for name, quality in map(_range, ",".join(accept).split(",")))


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    return name, float(quality) if re.fullmatch(r"[01](?:\.[0-9]{0,3})?", quality) else 0.0


def _quality(ranges: Sequence[tuple[str, float]], offer: str) -> float:
    """The quality of the most exact range that covers an offer."""
    for name in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        for covered, quality in ranges:
            if covered == name:
                return quality
    return 0.0
