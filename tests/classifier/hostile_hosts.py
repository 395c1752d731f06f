"""Image hosts that behave badly, and one or two that do not: how each speaks, and how its image has to end."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

OK = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(bytes(5_000_000))
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def host(speak: Speak) -> AsyncIterator[str]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whoever asked has gone, or the host ends
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


def flood(first: bytes, piece: bytes) -> Speak:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return speak


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


HOSTS: list[tuple[Speak, str]] = [
    (say(OK + b"Content-Length: 3\r\n\r\nabc"), "fetched"),
    (say(OK + b"\r\nuntil the end"), "fetched"),
    (say(OK + b"Content-Length: 999999999\r\n\r\nabc"), "image_too_large"),
    (drip(OK + b"\r\n", b"x" * 30_000), "image_too_large"),
    (say(OK + b"Content-Length: 10\r\n\r\nabc"), "fetch_failed"),
    (say(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), "fetch_failed"),
    (say(OK + b"Content-Length: minus\r\n\r\nabc"), "fetch_failed"),
    (say(b"garbage\r\n\r\n"), "fetch_failed"),
    (say(b"<html>of HTTP/0.9</html>"), "fetch_failed"),
    (say(OK + b"Set-Cookie: a=b\r\n" * 100_000 + b"Content-Length: 3\r\n\r\nabc"), "fetch_failed"),
    (say(OK + b"X-Long: " + b"x" * 1_000_000 + b"\r\n\r\n"), "fetch_failed"),
    (flood(OK, b"X-More: of it\r\n" * 1000), "fetch_failed"),
    (flood(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100), "fetch_timeout"),
    (say(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "fetch_failed"),
    (say(OK + b"Content-Encoding: gzip\r\nContent-Length: 5000\r\n\r\n" + BOMB[:5000]), "fetch_failed"),
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
    (say(redirect("//")), "fetch_too_many_redirects"),
    (say(redirect("http://[")), "fetch_failed"),
    (say(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), "fetch_failed"),
    *(
        (say(redirect(target)), "fetch_blocked_address")
        for target in (
            "file:///etc/passwd",
            "ftp://host/",
            "ws://host/",
            "tcp://host/",
            "http://\U0001f600x@host/",
            "ht\ttp://127.0.0.1/",
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://user@host/",
            "http://a b/",
        )
    ),
]
