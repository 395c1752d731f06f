"""The results page as people use it, in a real browser."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from schemas.results import ResultItem
from services.reporter.example_report import example_report
from tests.browser.chromium import assert_accessible, bytes_of, complaints_of, profile_in, requests_of
from tests.ingest.pages.serving import INFERENCE_ID, Site, site_of

pytestmark = pytest.mark.asyncio(loop_scope="session")  # in which the browser runs

SIZE = 250
ITEMS = example_report(SIZE).items


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path, SIZE) as running:
        yield running


def traits(item: ResultItem) -> Iterator[object]:
    """What makes a row look different from others."""
    yield item.error and item.error.code
    if found := item.classification:
        yield from (
            found.primary.family,
            found.pattern,
            found.multicolor,
            found.needs_review,
            found.alternative is None,
        )
        yield from found.review_reasons
        yield from (found.label and found.label.verdict, found.background and found.background.kind)


def one_of_each(items: Sequence[ResultItem]) -> Sequence[ResultItem]:
    """Only the items that show something that no earlier one does: a browser takes its time for each row."""
    kept: list[ResultItem] = []
    seen: set[object] = set()
    for item in items:
        if new := set(traits(item)) - seen:
            seen |= new
            kept.append(item)
    return kept


async def shown(page: Page) -> list[int]:
    """Indexes of the images that are listed, in their order."""
    return await page.eval_on_selector_all("#rows li:not([hidden])", "rows => rows.map(row => +row.dataset.i)")


async def test_filtering_sorting_searching_copying_and_downloading(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    site.finish(ITEMS)
    async with profile_in(browser) as profile:
        page = await profile.new_page()
        complaints, requests = complaints_of(page), requests_of(page)
        await page.goto(site.url + site.path())
        assert len(await shown(page)) == SIZE
        await page.get_by_role("link", name="labels to correct").click()
        assert len(await shown(page)) == 16
        await expect(page.get_by_text("16 images shown")).to_be_visible()
        await page.get_by_role("link", name="orange 21").click()
        assert 0 < len(await shown(page)) < 16
        await page.get_by_role("link", name="all images").click()
        assert len(await shown(page)) == SIZE
        await page.get_by_label("Sort").select_option("as submitted")
        assert await shown(page) == list(range(SIZE))
        await page.get_by_label("Search").fill("handbag")
        assert {ITEMS[index].product_type for index in await shown(page)} == {"Handbag"}
        await page.locator("#rows li:not([hidden]) button.hex").first.click()
        await expect(page.locator("#shown")).to_contain_text("copied")
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("#")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="CSV").click()
        file = tmp_path / "results.csv"
        await (await download.value).save_as(file)
        assert file.read_text("utf-8-sig").count("\n") == SIZE + 1
        assert (await download.value).suggested_filename == f"{INFERENCE_ID}.csv"
        assert complaints == []
        assert all(request.url.startswith(site.url) for request in requests)
        assert await bytes_of(requests[:4]) < 300_000


COSTS = """() => {
    const rows = [...document.getElementById("rows").children];
    const search = document.getElementById("search");
    const least = (work) => Math.min(...Array.from({ length: 12 }, (_, turn) => {
        const began = performance.now();
        work(turn % 2 === 0);
        document.body.offsetHeight;
        return performance.now() - began;
    }));
    const browser = least((hides) => rows.forEach((row) => { row.hidden = hides; }));
    const ours = least((hides) => {
        search.value = hides ? "in no row" : "";
        search.dispatchEvent(new Event("input"));
    });
    return [ours, browser];
}"""


async def test_searching_250_images_costs_little_more_than_hiding_them(browser: Browser, site: Site) -> None:
    site.finish(ITEMS)
    async with profile_in(browser) as profile:
        page = await profile.new_page()
        await page.goto(site.url + site.path())
        ours, floor = await page.evaluate(COSTS)
        assert ours < 5 * floor, (ours, floor)


async def test_progress_is_followed_to_the_finished_page(browser: Browser, site: Site) -> None:
    async with profile_in(browser) as profile:
        page = await profile.new_page()
        complaints = complaints_of(page)
        await page.goto(site.url + site.path())
        await expect(page.get_by_text("0 of 250 images done")).to_be_visible()
        for item in ITEMS[:50]:
            site.news.tell(item)
        site.status(48, 2)
        await expect(page.get_by_text("50 of 250 images done")).to_be_visible()
        assert await page.locator(".mosaic .wait").count() == SIZE - 50
        await page.get_by_label("Search").fill("handbag")
        await expect(page.locator("#rows li")).to_have_count(50, timeout=15_000)
        assert {ITEMS[index].product_type for index in await shown(page)} == {"Handbag"}
        await page.get_by_label("Search").fill("")
        for item in ITEMS[50:]:
            site.news.tell(item)
        site.finish(ITEMS)
        await expect(page.get_by_role("heading", name="16 labels to correct")).to_be_visible()
        await page.get_by_role("link", name="failed").click()
        assert len(await shown(page)) == 11
        assert complaints == []


async def test_it_is_readable_without_a_script(browser: Browser, site: Site) -> None:
    site.finish(ITEMS)
    async with profile_in(browser, scripts=False) as profile:
        page = await profile.new_page()
        await page.goto(site.url + site.path())
        await expect(page.locator("#rows li").first).to_contain_text("handbag-1028.jpg")
        await expect(page.get_by_label("Search")).to_be_hidden()
        await page.get_by_role("link", name="labels to correct").click()
        await expect(page.get_by_text("16 images shown")).to_be_visible()
        await expect(page.locator("#rows li:not([hidden])")).to_have_count(16)


@pytest.mark.parametrize("width", [390, 1100])
async def test_nothing_keeps_anybody_from_reading_it(browser: Browser, site: Site, width: int) -> None:
    site.finish(one_of_each(ITEMS))
    async with profile_in(browser, width=width) as profile:
        page = await profile.new_page()
        await page.goto(site.url + site.path())
        await assert_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("link", name="Show the pictures").click()
        await assert_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_running_batch_is_read_by_everybody(browser: Browser, site: Site) -> None:
    for item in ITEMS[:30]:
        site.news.tell(item)
    site.status(28, 2)
    async with profile_in(browser, width=390) as profile:
        page = await profile.new_page()
        await page.goto(site.url + site.path())
        await expect(page.get_by_text("30 of 250 images done")).to_be_visible()
        await assert_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_page_waits_for_no_script(browser: Browser, site: Site) -> None:
    site.finish(ITEMS)
    async with profile_in(browser) as profile:
        page = await profile.new_page()
        await page.route("**/*.js", lambda _: asyncio.sleep(0))  # asked for, and never answered
        await page.goto(site.url + site.path(), wait_until="commit")
        await expect(page.locator("#rows li")).to_have_count(SIZE)
        await expect(page.get_by_role("heading", name="16 labels to correct")).to_be_visible()


async def test_a_link_that_is_no_good_says_so_to_people(browser: Browser, site: Site) -> None:
    async with profile_in(browser) as profile:
        page = await profile.new_page()
        await page.goto(site.url + site.path().replace("token=", "token=A"))
        await expect(page.get_by_role("heading", name="There is nothing behind this link")).to_be_visible()
        await assert_accessible(page)
