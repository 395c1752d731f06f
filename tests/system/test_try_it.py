"""The way of a developer: the documentation, Try It!, live progress, the results page; and of a reader: the mail."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.chromium import assert_accessible, chromium, complaints_of
from tests.stack_fixtures import Stack

pytestmark = pytest.mark.system


async def test_try_it_submits_follows_and_leads_to_the_results(stack: Stack) -> None:
    ready = stack.ready()
    async with chromium() as browser:
        page = await browser.new_page()
        complaints = complaints_of(page)
        await page.goto(f"{ready['endpoint']}/docs")
        await page.get_by_label("API key").fill(ready["api_key"])
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("1 of 1 done")).to_be_visible(timeout=30_000)
        await expect(page.locator("#found")).to_contain_text("your label fits", timeout=30_000)
        await assert_accessible(page)
        await page.get_by_role("link", name="Open the results page").click()
        await expect(page.locator("#rows li")).to_have_count(1)
        assert complaints == []


async def test_the_link_of_the_mail_opens_the_results_page(stack: Stack) -> None:
    ready = stack.ready()
    image = {
        "image_path": f"{ready['endpoint']}/assets/absent.jpg",
        "product_type": "Shirt",
        "hex_color_label": "#C81E28",
        "category": "Fashion",
    }
    answer = stack.submit([image])
    mail = stack.wait_for_mail(answer.body["inference_id"])
    body = mail.get_body(("html",))
    assert body is not None
    [link] = set(re.findall(r'href="([^"]*)"', body.get_content()))
    assert link.startswith(ready["endpoint"])
    async with chromium(width=390) as browser:
        page = await browser.new_page()
        await page.goto(link)
        await expect(page.get_by_role("heading", name="1 image could not be classified")).to_be_visible()
        await expect(page.get_by_text("The image host did not have the image")).to_be_visible()


async def test_a_wrong_key_is_told_in_the_page(stack: Stack) -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{stack.ready()['endpoint']}/docs")
        await page.get_by_label("API key").fill("hue_wrong")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("#reply")).to_contain_text("API key is invalid")
