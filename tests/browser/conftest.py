"""One browser for all tests of a process: each has a profile of its own in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from deploy.chromium import NoChromiumError, chromium_browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Skips by name where there is no chromium."""
    try:
        async with chromium_browser() as running:
            yield running
    except NoChromiumError as error:
        pytest.skip(str(error))
