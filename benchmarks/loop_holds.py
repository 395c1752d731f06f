"""How long the endpoint's event loop is held at once while clients mean no good, on a real Kafka.

    python -m benchmarks.loop_holds [--bootstrap-servers HOST:PORT] [--rounds 1]

In the endpoint's process something asks every 2 ms to be called, and says how late the call came: so long everyone
waits. The processor time of its thread meanwhile is what the endpoint is to blame for, whatever else the machine does.
The time by the clock is given beside it, without and with what the thread waited for a core that something else had:
the broker, the attackers, or whoever shares the machine. The longest of each attack and round are printed, in order.
Without --bootstrap-servers, a broker is started, from the jars in the user's data folder.
"""

import argparse
import asyncio
import json
import resource
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import aiohttp

from benchmarks.ingest import BODY, SLOW_BODIES, SUBMIT, broker, prepare, served
from schemas.events import ImageClassified, ItemError
from schemas.fields import MAX_BATCH
from schemas.topics import IMAGES_CLASSIFIED
from services.ingest.batches import batch_of
from services.ingest.main import main as endpoint
from services.ingest.validation import read_images
from services.runtime.kafka import publisher
from services.runtime.lifecycle import beside, run_service

_OURSELVES = (sys.executable, "-m", "benchmarks.loop_holds")
_STEP_SECONDS = 0.002
_SCHEDULED = Path("/proc/thread-self/schedstat")
_NETWORKS = tuple(f"127.0.0.{number}" for number in range(2, 6))
_EACH = 1_000
"""Connections from one address: a few less than it may have."""
_IDLE_SECONDS = 4.0
_WRONG = f"POST {SUBMIT} HTTP/1.1\r\nHost: h\r\nx-vody-api-key: wrong\r\nContent-Length: 2\r\n\r\n[]".encode()

Address = tuple[str, int]
Hold = tuple[float, float, float, float]
"""When it ended, how long it was by the clock and in processor time, and how long of it there was no core."""
Longest = tuple[float, float, float]
"""The longest hold in processor time, by the clock while there was a core, and by the clock; these may be three."""


async def record_holds(file: Path) -> None:
    """Write down each call that came late."""
    with file.open("w", buffering=1) as out:
        while True:
            began, spent, waited = time.monotonic(), time.thread_time(), without_core()
            await asyncio.sleep(_STEP_SECONDS)
            now, busy = time.monotonic(), time.thread_time() - spent
            if now - began > 2 * _STEP_SECONDS:
                out.write(f"{now} {now - began - _STEP_SECONDS} {busy} {without_core() - waited}\n")


def without_core() -> float:
    """Read for how many seconds this thread was ready and something else ran (Linux: proc, schedstat)."""
    return int(_SCHEDULED.read_bytes().split()[1]) / 1e9


async def watched(file: Path, stopping: asyncio.Event) -> None:
    """Run the endpoint, with its holds written down."""
    async with beside(record_holds(file)):
        await endpoint(stopping)


def holds(file: Path, since: float) -> list[Hold]:
    lines = (line.split() for line in file.read_text().splitlines())
    found = [(float(at), float(late), float(busy), float(waited)) for at, late, busy, waited in lines]
    return [hold for hold in found if hold[0] > since]


async def connected(address: Address, count: int, source: str = "127.0.0.1") -> list[socket.socket]:
    """Open connections as fast as it goes; those that the endpoint closes again stay in the list."""
    loop, at_once = asyncio.get_running_loop(), asyncio.Semaphore(300)

    async def one() -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        made.bind((source, 0))
        async with at_once:
            await loop.sock_connect(made, address)
        return made

    return await asyncio.gather(*(one() for _ in range(count)))


async def everywhere(address: Address) -> list[socket.socket]:
    """Open nearly as many connections as the endpoint takes, from several addresses."""
    return [each for source in _NETWORKS for each in await connected(address, _EACH, source)]


def send_to_all(connections: Sequence[socket.socket], content: bytes) -> None:
    for each in connections:
        with suppress(BlockingIOError, ConnectionError):
            each.send(content)


def close_all(connections: Sequence[socket.socket]) -> None:
    for each in connections:
        each.close()


async def empty_all(connections: Sequence[socket.socket], seconds: float) -> None:
    """Take what is answered, so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for each in connections:
            with suppress(BlockingIOError, ConnectionError):
                each.recv(1 << 16)
        await asyncio.sleep(0.05)


class Attacks:
    """What clients do that mean no good; each ends when the endpoint is through with it."""

    def __init__(self, servers: str, url: str, key: str, session: aiohttp.ClientSession) -> None:
        self._servers = servers
        host, _, port = url.removeprefix("http://").partition(":")
        self._address = (host, int(port))
        self._url = url
        self._headers = {"x-vody-api-key": key}
        self._session = session
        self._watching = 0

    async def answered(self) -> None:
        """Wait until the endpoint has come to what was sent before."""
        async with self._session.get(f"{self._url}/inferences", headers=self._headers) as reply:
            await reply.read()

    async def slow_bodies(self) -> None:
        async def one(body: bytes) -> None:
            async with self._session.post(self._url + SUBMIT, data=body, headers=self._headers) as reply:
                await reply.read()

        for _ in range(3):
            await asyncio.gather(*map(one, SLOW_BODIES))

    async def ten_thousand_connections(self) -> None:
        opened = await connected(self._address, 10_000)
        await self.answered()
        close_all(opened)

    async def all_closed_at_once(self) -> None:
        opened = await everywhere(self._address)
        await self.answered()
        close_all(opened)

    async def slow_headers(self) -> None:
        opened = await everywhere(self._address)
        for part in _WRONG[:40]:
            send_to_all(opened, bytes([part]))
        await self.answered()
        await asyncio.sleep(_IDLE_SECONDS + 1)
        close_all(opened)

    async def wrong_keys(self) -> None:
        opened = await everywhere(self._address)
        for _ in range(3):
            send_to_all(opened, _WRONG)
            await empty_all(opened, 2.5)
        close_all(opened)

    async def pipelined_wrong_keys(self) -> None:
        opened = await connected(self._address, 200, _NETWORKS[0])
        send_to_all(opened, _WRONG * 300)
        await empty_all(opened, 5)
        close_all(opened)

    async def streams_of_one_batch(self) -> None:
        inference_id = await self._submitted()
        opened = await self._watched(inference_id)
        async with self._session.delete(f"{self._url}/inference/{inference_id}", headers=self._headers) as reply:
            await reply.read()
        await empty_all(opened, 2)
        close_all(opened)

    async def streams_of_its_results(self) -> None:
        inference_id = await self._submitted()
        opened = await self._watched(inference_id)
        results = classified(inference_id)
        async with publisher(self._servers, 30, 30) as out:
            for first in range(0, MAX_BATCH, 50):
                await out.publish(IMAGES_CLASSIFIED, results[first : first + 50])
                await empty_all(opened, 0.5)
        opened += await self._watched(inference_id)  # who comes later is told of all at once
        close_all(opened)

    async def _submitted(self) -> str:
        async with self._session.post(self._url + SUBMIT, data=BODY, headers=self._headers) as reply:
            return str((await reply.json())["inference_id"])

    async def _watched(self, inference_id: str) -> list[socket.socket]:
        source = _NETWORKS[self._watching % len(_NETWORKS)]
        self._watching += 1
        opened = await connected(self._address, _EACH, source)
        lines = (f"GET /inference/{inference_id}/events HTTP/1.1", "Host: h")
        headers = (f"{name}: {value}" for name, value in self._headers.items())
        send_to_all(opened, "\r\n".join((*lines, *headers, "", "")).encode())
        await empty_all(opened, 2.5)
        return opened


def classified(inference_id: str) -> list[ImageClassified]:
    """Make a result of each image, as a classifier writes them."""
    now = datetime.now(UTC)
    fingerprint = batch_of(read_images(BODY), inference_id, "key", now, 1).record.fingerprint
    known = {"inference_id": inference_id, "fingerprint": fingerprint, "classified_at": now, "status": "failed"}
    error = ItemError(code="fetch_dns", message="The name has no address")
    return [ImageClassified(**known, **image, index=index, error=error) for index, image in enumerate(json.loads(BODY))]


@asynccontextmanager
async def running(servers: str | None, file: Path) -> AsyncIterator[tuple[str, str, str]]:
    """Run an endpoint that writes its holds into the file; gives the broker's address, its URL and a key."""
    async with AsyncExitStack() as stack:
        servers = servers or await stack.enter_async_context(broker())
        key = await prepare(servers)
        store = stack.enter_context(tempfile.TemporaryDirectory())
        given = {"BOOTSTRAP_SERVERS": servers, "REPORT_STORE": store, "HOST": "127.0.0.1", "PORT": "0"}
        given |= {"TOPIC_REPLICAS": "1", "IDLE_TIMEOUT_SECONDS": str(_IDLE_SECONDS), "REQUESTS_PER_MINUTE": "100000"}
        settings = {f"HUESTREAM_{name}": value for name, value in given.items()}
        url, _ = await stack.enter_async_context(served([*_OURSELVES, "--endpoint", str(file)], settings))
        yield servers, url, key


async def measure(servers: str | None, rounds: int) -> None:
    with tempfile.NamedTemporaryFile(prefix="huestream-holds-") as kept:
        file = Path(kept.name)
        # A connection of its own each: one that is kept may be closed for being idle just when it is used.
        connector = aiohttp.TCPConnector(limit=0, force_close=True, local_addr=("127.0.0.9", 0))
        async with running(servers, file) as given, aiohttp.ClientSession(connector=connector) as session:
            attacks = Attacks(*given, session)
            await attacks.answered()
            found: defaultdict[str, list[Longest]] = defaultdict(list)
            for _ in range(rounds):
                for attack in (
                    attacks.slow_bodies,
                    attacks.ten_thousand_connections,
                    attacks.all_closed_at_once,
                    attacks.slow_headers,
                    attacks.wrong_keys,
                    attacks.pipelined_wrong_keys,
                    attacks.streams_of_one_batch,
                    attacks.streams_of_its_results,
                ):
                    found[attack.__name__].append(await _longest(attack, file))
    print(f"{'longest turn of the event loop, ms':36} processor time | by the clock, with a core | by the clock")
    for name, longest in found.items():
        print(f"{name.replace('_', ' '):36} {' | '.join(map(_in_order, zip(*longest, strict=True)))}")


async def _longest(attack: Callable[[], Awaitable[None]], file: Path) -> Longest:
    since = time.monotonic()
    await attack()
    await asyncio.sleep(1)  # for what it leaves behind
    found = holds(file, since) or [(since, 0.0, 0.0, 0.0)]
    with_core = max(late - waited for _, late, _, waited in found)
    return max(hold[2] for hold in found), with_core, max(hold[1] for hold in found)


def _in_order(seconds: Sequence[float]) -> str:
    """Write times down in milliseconds.

    >>> _in_order([0.03, 0.0101, 0.02])
    '10 20 30, median 20'
    """
    each = " ".join(f"{1000 * one:.0f}" for one in sorted(seconds))
    return f"{each}, median {1000 * median(seconds):.0f}" if len(seconds) > 1 else each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap-servers")
    parser.add_argument("--endpoint", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.endpoint:
        sys.exit(run_service(partial(watched, arguments.endpoint)))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    asyncio.run(measure(arguments.bootstrap_servers, arguments.rounds))


if __name__ == "__main__":
    main()
