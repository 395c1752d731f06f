"""Hostile hosts on loopback: each ends in a named outcome, in time and within its bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.classifier.fetching import fetcher
from services.classifier.problems import FetchProblem
from services.classifier.settings import ClassifierSettings

OK = b"HTTP/1.1 200 OK\r\n"
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def settings(**changes: object) -> ClassifierSettings:
    given = {
        "environment": "development",
        "allow_networks": "127.0.0.0/8",
        "fetch_timeout_seconds": 2,
        "fetch_read_timeout_seconds": 1,
        "max_image_bytes": 100_000,
    }
    return ClassifierSettings.model_validate(given | changes)


@asynccontextmanager
async def host(speak: Speak) -> AsyncIterator[str]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def say(content: bytes) -> Speak:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    return speak


def drip(first: bytes, piece: bytes) -> Speak:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        for _turn in range(100):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.1)

    return speak


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


async def outcome(url: str, **changes: object) -> str:
    async with fetcher(settings(**changes)) as images:
        try:
            await images.fetch(url)
        except FetchProblem as problem:
            return problem.item_error.code
    return "fetched"


async def test_no_message_quotes_the_url_which_may_hold_secrets() -> None:
    async with fetcher(settings(allow_networks="")) as images:
        for url in ("http://127.0.0.1/?token=abc", "http://nothing.invalid/?token=abc", "ftp://x/?token=abc"):
            with pytest.raises(FetchProblem) as caught:
                await images.fetch(url)
            assert "abc" not in caught.value.item_error.message


@pytest.mark.parametrize(
    ("speak", "code"),
    [
        (say(OK + b"Content-Length: 3\r\n\r\nabc"), "fetched"),
        (say(OK + b"\r\nuntil the end"), "fetched"),
        (say(OK + b"Content-Length: 999999999\r\n\r\nabc"), "image_too_large"),
        (drip(OK + b"\r\n", b"x" * 30_000), "image_too_large"),
        (say(OK + b"Content-Length: 10\r\n\r\nabc"), "fetch_failed"),
        (say(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), "fetch_failed"),
        (say(OK + b"Content-Length: minus\r\n\r\nabc"), "fetch_failed"),
        (say(b"garbage\r\n\r\n"), "fetch_failed"),
        (say(b""), "fetch_failed"),
        (drip(b"", b""), "fetch_timeout"),
        (drip(OK + b"\r\n", b"x"), "fetch_timeout"),
        (drip(OK, b"X-More: of it\r\n"), "fetch_timeout"),
        (drip(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), "fetch_timeout"),
        *(
            (say(f"HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n".encode()), "fetch_http_status")
            for status in (201, 204, 206, 300, 304, 403, 404, 429, 500, 999)
        ),
        (say(redirect("/again")), "fetch_too_many_redirects"),
        (say(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), "fetch_failed"),
        *(
            (say(redirect(target)), "fetch_blocked_address")
            for target in (
                "file:///etc/passwd",
                "ftp://host/",
                "ws://host/",
                "http://10.0.0.1/",
                "http://[::1]/",
                "http://user@host/",
                "http://a b/",
            )
        ),
    ],
)
async def test_each_hostile_host_ends_in_its_code(speak: Speak, code: str) -> None:
    async with host(speak) as url, asyncio.timeout(5):
        assert await outcome(f"{url}/image.jpg") == code


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:22/",
        "file:///etc/passwd",
        "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
        "",
    ],
)
async def test_nothing_inward_is_ever_reached(url: str) -> None:
    assert await outcome(url, allow_networks="") in {"fetch_blocked_address", "fetch_failed"}


async def test_a_redirect_from_outside_inward_is_refused_at_the_socket() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(True)
        writer.write(OK + b"Content-Length: 0\r\n\r\n")

    reached: list[bool] = []
    async with host(speak) as url:
        port = int(url.rpartition(":")[2])
        assert await outcome(url, allow_networks="", fetch_ports=str(port)) == "fetch_blocked_address"
    assert reached == []


async def test_a_host_that_does_not_listen_is_a_failed_fetch() -> None:
    async with host(say(b"")) as url:
        pass
    assert await outcome(url) == "fetch_failed"


async def test_a_name_without_an_address_is_told_as_such() -> None:
    assert await outcome("http://nothing.invalid/", allow_networks="") == "fetch_dns"
