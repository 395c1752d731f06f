"""A real browser for tests: Debian's chromium, where it is installed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.async_api import Browser, BrowserContext, Page, Request

from deploy.chromium import NoChromiumError, chromium_browser


@asynccontextmanager
async def chromium(*, width: int = 1100, height: int = 900, scripts: bool = True) -> AsyncIterator[BrowserContext]:
    """A browser of its own; the test is skipped by name where there is no chromium."""
    try:
        async with chromium_browser() as browser, profile_in(browser, width, height, scripts=scripts) as profile:
            yield profile
    except NoChromiumError as error:
        pytest.skip(str(error))


@asynccontextmanager
async def profile_in(
    browser: Browser, width: int = 1100, height: int = 900, *, scripts: bool = True
) -> AsyncIterator[BrowserContext]:
    """A fresh profile in a browser that runs."""
    profile = await browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=scripts, accept_downloads=True
    )
    try:
        await profile.grant_permissions(["clipboard-read", "clipboard-write"])
        yield profile
    finally:
        await profile.close()


def complaints_of(page: Page) -> list[str]:
    """What the browser complains about from now on: script errors, and whatever the policy of the page forbids."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def requests_of(page: Page) -> list[Request]:
    """All requests from now on."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request))  # noqa: PLW0108  # it marks its listeners
    return found


async def bytes_of(requests: Sequence[Request]) -> int:
    """Bytes of all replies' bodies."""
    total = 0
    for request in requests:
        response = await request.response()
        total += len(await response.body()) if response else 0
    return total


async def assert_accessible(page: Page, *but: str) -> None:
    """Let axe-core look at a page, in light and in dark; rules may be left out where they mean something else."""
    # of all that is in order it would tell every element, which takes longer than to look at them
    options = {"rules": {rule: {"enabled": False} for rule in but}, "resultTypes": ["violations"]}
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = AxeResults(await page.evaluate("options => axe.run(options)", options))
        assert found.violations_count == 0, found.generate_report()
