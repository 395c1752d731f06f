"""The internet of a sealed network: names that answer as they like, and hosts at every address."""

import asyncio
import io
import socket
import struct
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from ipaddress import ip_address
from typing import cast
from urllib.parse import unquote

from PIL import Image

from tests.classifier.sealed.namespace import NAMESERVER

PUBLIC_V4 = "93.184.216.34"
PUBLIC_V6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
_A, _AAAA = 1, 28


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 40)).save(content, "JPEG")
    return content.getvalue()


class Names(asyncio.DatagramProtocol):
    """A name server: by its first label a name points outward, inward, to both, or first here and then there."""

    def __init__(self) -> None:
        self.asked = Counter[str]()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        labels, position = [], 12
        while data[position]:
            labels.append(data[position + 1 : position + 1 + data[position]].decode("latin-1"))
            position += 1 + data[position]
        (kind,) = struct.unpack_from("!H", data, position + 1)
        question = data[12 : position + 5]
        answers = [] if labels[0] == "slow" else self._answers(".".join(labels).lower(), labels[0].lower(), kind)
        if labels[0].lower() == "slow" or self._transport is None:
            return
        head = data[:2] + struct.pack("!HHHHH", 0x8180 | (3 if labels[0] == "none" else 0), 1, len(answers), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(packed)) + packed for packed in answers)
        self._transport.sendto(head + question + records, addr)

    def _answers(self, name: str, first: str, kind: int) -> list[bytes]:
        self.asked[name] += 1
        inward = {
            "inside": "127.0.0.1",
            "metadata": "169.254.169.254",
            "mixed": "127.0.0.1",
            "private": "10.0.0.1",
            "mapped": "::ffff:127.0.0.1",
            "v6only": "::1",
        }
        chosen = [PUBLIC_V4, PUBLIC_V6]
        if first == "mixed":
            chosen.append(inward[first])
        elif first.startswith("rebind"):
            chosen = [PUBLIC_V4] if self.asked[name] <= 2 else ["127.0.0.1"]  # asked for both families each time
        elif first in inward:
            chosen = [inward[first]]
        wanted = 4 if kind == _A else 6
        packed = [address.packed for text in chosen if (address := ip_address(text)).version == wanted]
        return packed if kind in {_A, _AAAA} and first != "none" else []


class Hosts:
    """Servers at every address and on many ports: each connection is noted with the address it was meant for."""

    def __init__(self) -> None:
        self.reached = Counter[tuple[str, int]]()
        self._picture = picture()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = writer.get_extra_info("sockname")[:2]
        self.reached[address.removeprefix("::ffff:") if "." in address else address, port] += 1
        try:
            async with asyncio.timeout(0.2):  # what speaks TLS never ends its head
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(self._answer(head.split(b" ")[1].decode("latin-1")))
            await writer.drain()
        except (OSError, IndexError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str) -> bytes:
        if path.startswith("/to/"):
            target = unquote(path[4:]).encode("utf-8", "surrogateescape")
            return b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n"
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(self._picture)}\r\n\r\n"
        return head.encode() + self._picture

    @asynccontextmanager
    async def listening(self, ports: Sequence[int]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for port in ports:
                both = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=500)
                await stack.enter_async_context(await asyncio.start_server(self._connected, sock=both))
            yield


@asynccontextmanager
async def _internet(names: Names, hosts: Hosts, ports: Sequence[int]) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: names, local_addr=(NAMESERVER, 53))
    try:
        async with hosts.listening(ports):
            yield
    finally:
        transport.close()


@contextmanager
def internet(ports: Sequence[int]) -> Iterator[tuple[Names, Hosts]]:
    """Run names and hosts, in a thread of their own, until the block ends."""
    names, hosts = Names(), Hosts()
    begun, loop, ending = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        async with _internet(names, hosts, ports):
            begun.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert begun.wait(10), "the sealed internet did not start"
        yield names, hosts
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(10)
        loop.close()
