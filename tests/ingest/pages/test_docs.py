"""The documentation: what it says is what the models say, and what it shows can be sent."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jsonschema
import pytest
from aiohttp import web

from schemas.events import EVENTS
from schemas.topics import TOPICS
from services.ingest.openapi import document as openapi
from services.ingest.pages.assets import add_assets
from services.ingest.pages.asyncapi import SHOWN, channel_id
from services.ingest.pages.asyncapi import document as asyncapi
from services.ingest.pages.docs import Docs
from services.ingest.pages.examples import LENIENT, REQUESTS
from services.ingest.validation import read_images
from tests.ingest.calling import Caller
from tests.ingest.pages.serving import serving

PAGES = ("/docs", "/docs/api", "/docs/topics")


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    Docs(None, 120, 3000, 600, 30).add_to(app)
    add_assets(app)
    async with serving(app) as url, aiohttp.ClientSession(url) as session:
        yield session


async def text_of(client: aiohttp.ClientSession, path: str) -> str:
    async with client.get(path) as reply:
        assert reply.status == 200
        return await reply.text()


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_small_and_comes_whole_from_here(client: aiohttp.ClientSession, path: str) -> None:
    page = await text_of(client, path)
    addresses = set(re.findall(r'(?:src|href)="([^"]*)"', page))
    assert all(address.startswith(("/", "#")) for address in addresses)
    assets = [address for address in addresses if address.startswith("/assets/")]
    total = len(page.encode()) + sum([len((await text_of(client, asset)).encode()) for asset in assets])
    assert total < 200_000
    assert "${" not in page
    for anchor in (address[1:] for address in addresses if address.startswith("#")):
        assert f'id="{anchor}"' in page


async def test_files_may_be_kept_and_others_are_not_found(client: aiohttp.ClientSession) -> None:
    asset = re.findall(r'href="(/assets/pages[^"]*)"', await text_of(client, "/docs"))[0]
    async with client.get(asset) as reply:
        assert "immutable" in reply.headers["Cache-Control"]
        assert reply.content_type == "text/css"
    for path in ("/assets/absent.css", "/assets/..%2fdocs.py"):
        async with client.get(path) as reply:
            assert reply.status == 404


async def test_the_guide_shows_its_own_address_and_nothing_a_client_makes_up(client: aiohttp.ClientSession) -> None:
    page = await text_of(client, "/docs")
    assert "3,000 images" in page
    async with client.get("/docs", headers={"Host": 'x"><script>'}) as reply:
        assert "<script>" not in await reply.text()


async def test_buckets_are_told_of_where_images_are_read_from_them(client: aiohttp.ClientSession) -> None:
    app = web.Application()
    Docs(None, 120, 3000, 600, 30, reads_buckets=True).add_to(app)
    async with serving(app) as url, aiohttp.ClientSession(url) as other:
        for path in ("/docs", "/docs/api", "/openapi.json"):
            assert "s3://bucket/" in await text_of(other, path)
            assert "s3://bucket/" not in await text_of(client, path)


@pytest.mark.parametrize("path", PAGES)
async def test_the_policy_is_strict(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as reply:
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        assert not re.search(r"\s(?:style|on\w+)=", await reply.text())


async def test_every_topic_is_described_with_its_writers_and_readers() -> None:
    found = asyncapi()
    assert [each["address"] for each in found["channels"].values()] == [topic.name for topic in SHOWN]
    assert {topic.name for topic in TOPICS} - {topic.name for topic in SHOWN} == {
        topic.name for topic in TOPICS if topic.name.endswith("-changelog")
    }
    for topic in SHOWN:
        own = [
            each
            for each in found["operations"].values()
            if each["channel"]["$ref"] == f"#/channels/{channel_id(topic)}"
        ]
        senders = {each["tags"][0]["name"] for each in own if each["action"] == "send"}
        assert senders == set(topic.written_by)
        assert len(own) == len(topic.written_by) + len(topic.read_by)


def test_every_reference_of_the_topics_leads_somewhere() -> None:
    found = asyncapi()
    references = set(re.findall(r'"\$ref": "#/([^"]*)"', json.dumps(found)))
    assert len(references) > 20
    for reference in references:
        node: Any = found
        for part in reference.split("/"):
            node = node[part]


@pytest.mark.parametrize("event", EVENTS)
def test_every_example_of_a_topic_is_an_event(event: Any) -> None:
    found = asyncapi()
    [example] = found["components"]["messages"][event.__name__]["examples"]
    assert event.decode(json.dumps(example["payload"]).encode())
    schema = {"$ref": f"#/components/schemas/{event.__name__}", "components": found["components"]}
    jsonschema.validate(example["payload"], schema)


def test_every_example_of_the_endpoint_is_valid() -> None:
    content = openapi()["paths"]["/inference/color-classification"]["post"]["requestBody"]["content"]
    assert content["application/json"]["examples"] == REQUESTS
    for example in REQUESTS.values():
        body = json.dumps(example["value"]).encode()
        assert read_images(body, lenient=example["value"] == LENIENT)


@pytest.mark.parametrize("name", REQUESTS)
async def test_every_example_of_the_endpoint_can_be_sent(caller: Caller, name: str) -> None:
    body = REQUESTS[name]["value"]
    headers = {"Prefer": "handling=lenient"} if body == LENIENT else {}
    answer = await caller.submit(body, **headers)
    assert answer.status == 200
    assert answer.headers.get("Link") is None  # this endpoint has no secret
