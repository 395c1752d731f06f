"""The documentation in a real browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, expect

from services.ingest.pages.assets import add_assets
from services.ingest.pages.docs import Docs
from tests.browser.chromium import assert_accessible, bytes_of, complaints_of, profile_in, requests_of
from tests.ingest.pages.serving import serving

pytestmark = pytest.mark.asyncio(loop_scope="session")  # in which the browser runs


@pytest_asyncio.fixture(loop_scope="session")
async def url() -> AsyncIterator[str]:
    app = web.Application()
    Docs(None, 120, 3000, 600, 30).add_to(app)
    add_assets(app)
    async with serving(app) as address:
        yield address


@pytest.mark.parametrize("path", ["/docs", "/docs/api", "/docs/topics"])
async def test_a_page_is_small_accessible_and_fits_a_phone(browser: Browser, url: str, path: str) -> None:
    async with profile_in(browser, width=390) as profile:
        page = await profile.new_page()
        complaints, requests = complaints_of(page), requests_of(page)
        await page.goto(url + path)
        assert await bytes_of(requests) < 200_000
        assert len(requests) <= 5
        assert complaints == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await assert_accessible(page)


async def test_without_a_script_the_guide_says_what_to_do(browser: Browser, url: str) -> None:
    async with profile_in(browser, scripts=False) as profile:
        page = await profile.new_page()
        await page.goto(f"{url}/docs")
        await expect(page.get_by_text("The form needs a script")).to_be_visible()
        await expect(page.get_by_label("API key")).to_be_hidden()


async def test_a_call_of_the_guide_can_be_copied(browser: Browser, url: str) -> None:
    async with profile_in(browser) as profile:
        page = await profile.new_page()
        await page.goto(f"{url}/docs")
        await page.get_by_role("button", name="Copy: The call with curl").click()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert f"curl -sS {url}/inference/color-classification" in copied
        assert f'"image_path": "{url}/assets/example-' in copied
