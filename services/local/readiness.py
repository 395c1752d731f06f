"""Whether the services of a local run are ready."""

import asyncio
from typing import Final

import aiohttp

from services.local.stack import Layout

_LOOK_SECONDS: Final = 0.2
_ANSWER: Final = aiohttp.ClientTimeout(total=2)


async def not_ready_within(layout: Layout, timeout_seconds: float) -> list[str]:
    """Wait until every service says that it is ready; give the names of those that did not in time."""
    pending = {name: url.replace("/metrics", "/readyz") for name, url in layout.metrics().items()}
    try:
        async with asyncio.timeout(timeout_seconds), aiohttp.ClientSession() as session:
            while pending:
                pending = {name: url for name, url in pending.items() if not await _is_ready(session, url)}
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        return sorted(pending)
    return []


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=_ANSWER) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
