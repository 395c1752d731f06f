"""The results page over HTTP: who may see it, and that nothing of a customer is more than text."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from schemas.events import ItemError
from schemas.results import ResultItem
from services.ingest.pages.view_rows import image_origins
from services.reporter.example_report import example_report
from tests.ingest.pages.serving import INFERENCE_ID, Site, site_of
from tests.reporter.test_mail import HOSTILE

SIZE = 250


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path, SIZE) as running:
        yield running


@pytest.fixture
async def client(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(site.url) as session:
        yield session


async def text_of(client: aiohttp.ClientSession, path: str, status: int = 200) -> str:
    async with client.get(path) as reply:
        text = await reply.text()
        assert reply.status == status, text
        return text


async def test_the_page_of_250_images_is_small_and_names_every_image(site: Site, client: aiohttp.ClientSession) -> None:
    items = example_report(SIZE).items
    site.finish(items)
    page = await text_of(client, site.path())
    assert len(page.encode()) < 260_000
    assert len(re.findall(r'<li id="r\d+"', page)) == SIZE
    assert "16 labels to correct" in page
    assert page.index('id="r4"') < page.index('id="r0"')


async def test_the_policy_lets_nothing_in_from_elsewhere(site: Site, client: aiohttp.ClientSession) -> None:
    site.finish(example_report(SIZE).items)
    async with client.get(site.path()) as reply:
        policy = reply.headers["Content-Security-Policy"]
        page = await reply.text()
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"\s(?:style|on\w+)=", page)
    assert all(address.startswith("/") for address in re.findall(r'(?:src|href)="([^"]*)"', page) if address != "#main")


async def test_pictures_come_from_the_customers_hosts_only_when_asked_for(
    site: Site, client: aiohttp.ClientSession
) -> None:
    site.finish(example_report(SIZE).items)
    assert "shop.example" not in await text_of(client, site.path())
    async with client.get(f"{site.path()}&pictures=1") as reply:
        assert "img-src 'self' https://shop.example;" in reply.headers["Content-Security-Policy"]
        page = await reply.text()
    pictures = re.findall(r'<img class="pic"[^>]*>', page)
    assert len(pictures) == SIZE
    assert all('referrerpolicy="no-referrer"' in each and 'loading="lazy"' in each for each in pictures)


@pytest.mark.parametrize("address", ["https://x.example;script-src *", "https://a b/", "javascript:alert(1)", "//x"])
def test_no_address_of_an_image_can_change_the_policy(address: str) -> None:
    item = ResultItem(index=0, status="failed", image_path=address)
    assert all(re.fullmatch(r"https?://[a-z0-9.:\[\]-]+", origin) for origin in image_origins([item]))


async def test_many_hosts_are_one_rule() -> None:
    items = [ResultItem(index=n, status="failed", image_path=f"https://h{n}.example/1.png") for n in range(21)]
    assert image_origins(items) == ["https:", "http:"]
    assert image_origins(items[:2]) == ["https://h0.example", "https://h1.example"]


@pytest.mark.parametrize("ending", ["", "/events", "/results.csv"])
async def test_a_token_that_is_not_good_opens_nothing(site: Site, client: aiohttp.ClientSession, ending: str) -> None:
    site.finish(example_report(SIZE).items)
    good = site.path(ending)
    forged = [
        good[:-3] + "AAA",
        good.replace(INFERENCE_ID, INFERENCE_ID.replace("3f", "4f")),
        good.partition("?")[0],
        f"{good.partition('?')[0]}?token=",
        f"{good.partition('?')[0]}?token=%ff%00ä",
        good.replace("?token=", "?token=AAAA"),
    ]
    texts = {re.sub(r"[0-9a-f-]{36}", "", await text_of_forged(client, path)) for path in forged}
    assert len(texts) == 1


async def text_of_forged(client: aiohttp.ClientSession, path: str) -> str:
    async with client.get(path) as reply:
        assert reply.status == 404, path
        return await reply.text()


async def test_an_old_link_and_old_results_are_gone(site: Site, client: aiohttp.ClientSession) -> None:
    site.finish(example_report(SIZE).items)
    old = site.path(until=datetime.now(UTC) - timedelta(seconds=1))
    assert "This link has expired" in await text_of(client, old, 410)
    site.finish(example_report(SIZE).items, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert "These results have expired" in await text_of(client, site.path(), 410)


async def test_without_a_secret_there_are_no_pages(tmp_path: Path) -> None:
    site = Site(tmp_path, 3)
    assert site.viewing(None).links.header(INFERENCE_ID) == {}
    assert "token=" in site.viewing(SecretStr("s" * 32)).links.header(INFERENCE_ID)["Link"]


@pytest.mark.parametrize("form", ["json", "ndjson", "csv"])
async def test_the_results_can_be_taken_away(site: Site, client: aiohttp.ClientSession, form: str) -> None:
    site.finish(example_report(SIZE).items)
    async with client.get(site.path(f"/results.{form}")) as reply:
        content = await reply.text("utf-8-sig")
        assert reply.headers["Content-Disposition"] == f'attachment; filename="{INFERENCE_ID}.{form}"'
    count = {
        "json": lambda: len(json.loads(content)),
        "ndjson": lambda: content.count("\n"),
        "csv": lambda: len(list(csv.DictReader(io.StringIO(content)))),
    }[form]()
    assert count == SIZE


async def test_filters_work_without_a_script(site: Site, client: aiohttp.ClientSession) -> None:
    site.finish(example_report(SIZE).items)
    everything = len(re.findall(r"<li id=[^>]* hidden>", await text_of(client, site.path())))
    failed = await text_of(client, f"{site.path()}&show=failed")
    blue = await text_of(client, f"{site.path()}&family=blue")
    assert everything == 0
    assert len(re.findall(r"<li id=[^>]* hidden>", failed)) == SIZE - 11
    assert "11 images shown" in failed
    assert "44 images shown" in blue
    path = site.path()  # a link of the next second is another one
    assert await text_of(client, f"{path}&show=<script>&family=x") == await text_of(client, path)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_stays_text(site: Site, client: aiohttp.ClientSession, text: str) -> None:
    def items(words: str) -> list[ResultItem]:
        change = dict.fromkeys(("image_path", "product_type", "category", "custom_id"), words)
        return [item.model_copy(update=change) for item in example_report(3).items]

    site.finish(items("plain"))
    plain = await text_of(client, site.path())
    site.finish(items(text))
    hostile = await text_of(client, f"{site.path()}&category=x")
    assert hostile.count("<") == plain.count("<")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in hostile


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("canceled", "The batch was canceled before the rest was done."),
        ("timed_out", "The batch reached its deadline before all images were done."),
    ],
)
async def test_a_batch_that_ended_early_says_why(
    site: Site, client: aiohttp.ClientSession, code: str, said: str
) -> None:
    missing = {
        "status": "failed",
        "classification": None,
        "error": ItemError.model_validate({"code": code, "message": "x"}),
    }
    items = [item.model_copy(update=missing if item.index > 2 else {}) for item in example_report(6).items]
    site.finish(items)
    assert said in await text_of(client, site.path())


async def test_small_categories_are_gathered_into_a_row_that_does_not_filter(
    site: Site, client: aiohttp.ClientSession
) -> None:
    items = [item.model_copy(update={"category": f"c{item.index}"}) for item in example_report(9).items]
    site.finish(items)
    page = await text_of(client, site.path())
    assert "<li><p><span>3 others</span>" in page
    assert page.count('data-by="c"') == 6
    site.finish(items[:7])
    assert "others" not in await text_of(client, site.path())


async def test_a_running_batch_shows_what_there_is(site: Site, client: aiohttp.ClientSession) -> None:
    for item in example_report(SIZE).items[:100]:
        site.news.tell(item)
    site.status(96, 4)
    page = await text_of(client, site.path())
    assert "Working on it" in page
    assert "100 of 250 images done" in page
    assert page.count('class="wait"') == 150
