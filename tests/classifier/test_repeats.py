"""A URL that comes again is fetched once, as far as its host allows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.classifier.fetching import fetcher
from services.classifier.freshness import BATCH_SECONDS, MAX_FRESH_SECONDS, freshness
from services.classifier.memory import Memory
from services.classifier.problems import FetchProblem
from services.classifier.repeats import Repeats
from tests.classifier.hostile_hosts import host
from tests.classifier.test_fetching import settings


class Scene:
    """A host that counts, and repeats with a clock of the test."""

    def __init__(self, repeats: Repeats, url: str, asked: list[str]) -> None:
        self.repeats = repeats
        self.url = url
        self.asked = asked
        self.now = 0.0

    async def fetch(self, owner: str = "one", path: str = "/a.jpg") -> bytes:
        with Memory(1_000_000).lease(owner) as lease:
            return await self.repeats.fetch(self.url + path, owner, lease, asyncio.get_running_loop().time() + 60)


@asynccontextmanager
async def scene(
    *headers: str, status: int = 200, capacity: int = 10_000, body: bytes = b"image"
) -> AsyncIterator[Scene]:
    asked: list[str] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        asked.append("")
        await asyncio.sleep(0.02)
        lines = [f"HTTP/1.1 {status} Such", f"Content-Length: {len(body)}", "Connection: close", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async with host(speak) as url, fetcher(settings()) as images:
        found = Scene(Repeats(images, capacity, lambda: found.now), url, asked)
        yield found


async def test_one_batch_fetches_a_url_once_at_the_same_time_and_later() -> None:
    async with scene() as found:
        assert await asyncio.gather(*(found.fetch() for _ in range(10))) == [b"image"] * 10
        assert await found.fetch() == b"image"
        assert len(found.asked) == 1
        found.now = BATCH_SECONDS
        await found.fetch()
        assert len(found.asked) == 2


async def test_another_batch_fetches_anew_where_the_host_says_nothing() -> None:
    async with scene() as found:
        await found.fetch("one")
        await found.fetch("two")
        assert len(found.asked) == 2


async def test_another_batch_uses_what_the_host_allows_for_as_long_as_it_allows() -> None:
    async with scene("Cache-Control: public, max-age=60") as found:
        await found.fetch("one")
        await found.fetch("two")
        assert len(found.asked) == 1
        found.now = 60
        await found.fetch("three")
        assert len(found.asked) == 2


@pytest.mark.parametrize("header", ["Cache-Control: no-store", "Cache-Control: No-Cache", "Vary: *"])
async def test_a_host_that_forbids_it_is_asked_each_time(header: str) -> None:
    async with scene(header) as found:
        await asyncio.gather(*(found.fetch() for _ in range(5)))
        await found.fetch()
        assert len(found.asked) == 6


async def test_a_failure_is_shared_by_those_who_waited_for_it_alone() -> None:
    async with scene(status=404) as found:
        ends = await asyncio.gather(*(found.fetch() for _ in range(5)), return_exceptions=True)
        assert {end.code for end in ends if isinstance(end, FetchProblem)} == {"fetch_http_status"}
        with pytest.raises(FetchProblem):
            await found.fetch()
        assert len(found.asked) == 2


async def test_one_who_is_canceled_does_not_take_the_others_along() -> None:
    async with scene() as found:
        first = asyncio.create_task(found.fetch())
        await asyncio.sleep(0.005)
        others = [asyncio.create_task(found.fetch()) for _ in range(3)]
        await asyncio.sleep(0.005)
        first.cancel()
        assert await asyncio.gather(*others) == [b"image"] * 3


async def test_no_more_is_kept_than_there_is_room_for() -> None:
    async with scene("Cache-Control: max-age=60", capacity=8_000, body=b"x" * 900) as found:
        for number in range(6):
            await found.fetch(path=f"/{number}.jpg")
        await found.fetch(path="/5.jpg")
        assert len(found.asked) == 6
        await found.fetch(path="/0.jpg")
        assert len(found.asked) == 7


async def test_what_is_switched_off_does_nothing() -> None:
    async with scene("Cache-Control: max-age=60", capacity=0) as found:
        await found.fetch()
        await found.fetch()
        assert len(found.asked) == 2


async def test_a_known_image_is_asked_about_by_its_tag() -> None:
    asked: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head)
        if b'If-None-Match: "v1"' in head:
            writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nConnection: close\r\n\r\n')
        else:
            writer.write(b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: 5\r\nConnection: close\r\n\r\nimage')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server, fetcher(settings()) as images:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = Scene(Repeats(images, 10_000, lambda: 0.0), url, [])
        assert [await found.fetch(owner) for owner in ("one", "two", "two")] == [b"image"] * 3
    assert [b"If-None-Match" in head for head in asked] == [False, True]


@pytest.mark.parametrize(
    ("headers", "batch", "anybody"),
    [
        ({}, BATCH_SECONDS, 0),
        ({"Cache-Control": "max-age=99999"}, MAX_FRESH_SECONDS, MAX_FRESH_SECONDS),
        ({"Cache-Control": "max-age=99999999999999999999"}, MAX_FRESH_SECONDS, MAX_FRESH_SECONDS),
        ({"Cache-Control": 's-maxage="30", max-age=60'}, 30, 30),
        ({"Cache-Control": "max-age=30", "Age": "31"}, 0, 0),
        ({"Cache-Control": "private, max-age=30"}, BATCH_SECONDS, 0),
        ({"Cache-Control": "max-age=-1"}, BATCH_SECONDS, 0),
        ({"Cache-Control": ",,=,"}, BATCH_SECONDS, 0),
        ({"Cache-Control": "no-store, max-age=30"}, 0, 0),
    ],
)
def test_headers_are_read_as_the_standard_says(headers: dict[str, str], batch: float, anybody: float) -> None:
    found = freshness(headers)
    assert (found.batch_seconds, found.any_seconds) == (batch, anybody)


def test_a_tag_that_could_break_a_header_is_not_used() -> None:
    assert freshness({"ETag": '"a\r\nX: y"'}).etag is None
    assert freshness({"ETag": "\u00e4"}).etag is None
    assert freshness({"ETag": '"' + "x" * 500 + '"'}).etag is None
