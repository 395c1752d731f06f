"""The mailbox of `huestream local`: a mail is shown as it is, and its link leads to the results page."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from services.reporter.example_report import example_report
from services.reporter.mail import mail_of
from tests.browser.chromium import assert_accessible, profile_in
from tests.ingest.pages.serving import site_of
from tests.mailbox.test_process import Mailbox, mailbox_in

pytestmark = pytest.mark.asyncio(loop_scope="session")  # in which the browser runs


@pytest_asyncio.fixture(loop_scope="session")
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with mailbox_in(tmp_path) as running:
        yield running


async def test_the_button_of_a_mail_opens_the_results_page(browser: Browser, mailbox: Mailbox, tmp_path: Path) -> None:
    report = example_report(20)
    async with site_of(tmp_path / "store", 20) as site, profile_in(browser) as profile:
        site.finish(report.items)
        await mailbox.send(mail_of(report, "huestream@huestream.example", "you@shop.example", site.url + site.path()))
        await mailbox.said()
        page = await profile.new_page()
        await page.goto(mailbox.url)
        await assert_accessible(page)
        await page.get_by_role("link", name="Color report: 20 images").click()
        mail = page.frame_locator("iframe")
        await expect(mail.get_by_role("heading", name="1 label to correct")).to_be_visible()
        await assert_accessible(page, "landmark-one-main", "region")
        async with profile.expect_page() as opened:
            await mail.get_by_role("link", name="See the images and their colors").click()
        await expect((await opened.value).locator("#rows li")).to_have_count(20)


async def test_a_mail_of_somebody_else_runs_nothing(browser: Browser, mailbox: Mailbox) -> None:
    html = "<title>x</title><script>document.title='ran'</script><form action=https://evil.example><button>Go</button>"
    content = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    await mailbox.send(content.encode() + base64.encodebytes(html.encode()))
    await mailbox.said()
    async with profile_in(browser) as profile:
        page = await profile.new_page()
        await page.goto(mailbox.url)
        await page.get_by_role("link", name="x", exact=True).click()
        frame = page.frame_locator("iframe")
        await frame.get_by_role("button", name="Go").click()
        assert [frame.url.startswith(mailbox.url) for frame in page.frames] == [True, True]
        assert await page.frames[1].title() == "x"
