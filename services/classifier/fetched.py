"""What a fetch has: an image's bytes, gathered within a limit, wherever they came from."""

from collections.abc import AsyncIterable
from dataclasses import dataclass

from services.classifier import metrics
from services.classifier.freshness import Freshness
from services.classifier.memory import Lease
from services.classifier.problems import FetchProblem


@dataclass(frozen=True)
class Fetched:
    """An image's bytes, and for how long they may be used again."""

    content: bytes
    freshness: Freshness
    is_unchanged: bool = False
    """The host said that it is what was asked about; the content is not here."""


async def gathered(pieces: AsyncIterable[bytes], stated: int, max_bytes: int, lease: Lease) -> bytes:
    """Read an image of a stated size (0 where none is) into a lease; raises `FetchProblem`, as well as `pieces`."""
    if stated > max_bytes:
        raise _too_large(max_bytes)
    chunks, count = [], 0
    async for chunk in pieces:
        count += len(chunk)
        if count > max_bytes:
            raise _too_large(max_bytes)
        lease.grow_to(count)
        chunks.append(chunk)
    lease.shrink_to(count)
    metrics.FETCHED_BYTES.inc(count)
    return b"".join(chunks)


def _too_large(max_bytes: int) -> FetchProblem:
    return FetchProblem("image_too_large", f"The image has more than {max_bytes} bytes")
