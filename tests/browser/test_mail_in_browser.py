"""The mail as a browser shows it: accessible, and no wider than a phone."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from services.reporter.example_report import example_report
from services.reporter.preview import write_preview
from tests.browser.chromium import assert_accessible, complaints_of, profile_in, requests_of
from tests.ingest.pages.serving import site_of

pytestmark = pytest.mark.asyncio(loop_scope="session")  # in which the browser runs


@pytest.mark.parametrize("width", [360, 700])
async def test_the_mail_can_be_read_by_everybody(browser: Browser, tmp_path: Path, width: int) -> None:
    write_preview(example_report(40), tmp_path / "mail")
    async with profile_in(browser, width=width) as profile:
        page = await profile.new_page()
        complaints, requests = complaints_of(page), requests_of(page)
        await page.goto(f"file://{tmp_path / 'mail.html'}")
        # the landmarks are those of the mail program around it
        await assert_accessible(page, "landmark-one-main", "region")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not [request for request in requests if not request.url.startswith(("file:", "data:"))]
        assert complaints == []


async def test_it_says_everything_without_pictures_and_style(browser: Browser, tmp_path: Path) -> None:
    write_preview(example_report(40), tmp_path / "mail")
    html = (tmp_path / "mail.html").read_text()
    async with profile_in(browser, scripts=False) as profile:
        page = await profile.new_page()
        await page.set_content(
            html.replace("<style", "<template").replace("</style", "</template").replace("src=", "x=")
        )
        await expect(page.get_by_text("Please correct these labels")).to_be_visible()
        swatch = await page.locator("td[bgcolor][width='30']").first.bounding_box()
        assert swatch is not None
        assert swatch["width"] >= 20
        assert swatch["height"] >= 20


@pytest.mark.parametrize("text", ["W" * 256, "\N{ARABIC LETTER ALEF}" * 200, "<b>bold</b> & \N{PARTY POPPER}" * 9])
async def test_long_and_foreign_texts_stay_inside_a_phone(browser: Browser, tmp_path: Path, text: str) -> None:
    change = {"product_type": text, "category": text, "custom_id": text[:64]}
    example = example_report(40)
    items = tuple(item.model_copy(update=change) for item in example.items)
    write_preview(example.model_copy(update={"items": items}), tmp_path / "mail")
    async with profile_in(browser, width=390) as profile, site_of(tmp_path, 40) as site:
        site.finish(items)
        page = await profile.new_page()
        for address in (f"file://{tmp_path / 'mail.html'}", site.url + site.path()):
            await page.goto(address)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
            assert await page.locator("b >> text=/^bold$/").count() == 0
