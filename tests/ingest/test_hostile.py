"""Clients that mean no good: the endpoint stays ready for the others."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from schemas.events import ApiKey
from schemas.topics import API_KEYS
from services.ingest.settings import IngestSettings
from services.runtime.api_keys import new_secret
from services.runtime.kafka import publisher
from services.runtime.key_sources import append_key
from tests.ingest.calling import SUBMIT, Caller, eventually, images
from tests.ingest.replicas import Replica, replica
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system

PER_ADDRESS = int(IngestSettings.model_fields["max_connections_per_address"].default)
SLOW_BODIES = [
    b"[" + b"[]," * 490_000 + b"[]]",
    b"[" + b"[[[[]]]]," * 220_000 + b"[]]",
    b"[{" + b",".join(b'"%x":0' % number for number in range(160_000)) + b"}]",
    b"[" * 2_000_000,
    b'["' + b"\\ud83d\\ude00" * 170_000 + b'"]',
    b"[" + b"9" * 2_000_000 + b"]",
]


def _address(running: Replica) -> tuple[str, int]:
    host, _, port = running.url.removeprefix("http://").partition(":")
    return host, int(port)


@asynccontextmanager
async def connections(running: Replica, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Open connections that say nothing."""
    opened = [await asyncio.open_connection(*_address(running)) for _ in range(count)]
    try:
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()


async def _is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 0.2) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_connections_over_the_limit_are_closed_and_those_within_it_served(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path
) -> None:
    with replica(kafka.bootstrap, report_store, max_connections=40) as alone:
        async with aiohttp.ClientSession() as session:
            caller = Caller(session, [alone.url], issued[str(owner)])
            assert (await caller.submit(images(1))).status == 200  # its connection stays open
            async with connections(alone, 300) as readers:

                async def all_but_the_limit_are_closed() -> bool:
                    return sum(await asyncio.gather(*map(_is_closed, readers))) == 300 - (40 - 1)

                await eventually(all_but_the_limit_are_closed)
                assert (await caller.submit(images(1))).status == 200

            async def accepted_again() -> bool:
                async with connections(alone, 1) as [reader]:
                    return not await _is_closed(reader)

            await eventually(accepted_again)


async def _silent(address: tuple[str, int], count: int) -> list[socket.socket]:
    """Open connections as fast as it goes, a few hundred at once, from this one address."""
    loop, at_once = asyncio.get_running_loop(), asyncio.Semaphore(300)

    async def one() -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        async with at_once:
            await loop.sock_connect(made, address)
        return made

    return await asyncio.gather(*(one() for _ in range(count)))


def _is_still_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


@contextmanager
def many_files(count: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        pytest.skip(f"a process may open {hard} files here, and {count} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_ten_thousand_connections_from_one_address_are_refused_and_others_served(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path
) -> None:
    with many_files(11_000), replica(kafka.bootstrap, report_store) as alone, ExitStack() as opened:
        elsewhere = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0), force_close=True)
        async with aiohttp.ClientSession(connector=elsewhere) as session:
            caller, pauses = Caller(session, [alone.url], issued[str(owner)]), []
            before = alone.megabytes()
            storm = asyncio.create_task(_silent(_address(alone), 10_000))
            while not storm.done():
                began = time.monotonic()
                assert (await caller.submit(images(1))).status in {200, 429}
                pauses.append(time.monotonic() - began)
            connections = [opened.enter_context(each) for each in await storm]

            async def all_but_the_limit_are_closed() -> bool:
                return sum(map(_is_still_open, connections)) == PER_ADDRESS

            await eventually(all_but_the_limit_are_closed)
            assert (await caller.submit(images(1))).status in {200, 429}
            assert max(pauses) < 10  # a request that waits in the queue with the others, on a busy machine: 3
            assert alone.megabytes() < before + 60


async def test_no_body_holds_the_others_up(caller: Caller, replicas: list[Replica]) -> None:
    """The most that a replica works between replies to someone else, while the slowest bodies known are refused.

    Its processor time is what counts: how long that takes is up to what else the machine does.
    """
    pauses: list[float] = []
    done = asyncio.Event()

    async def someone_else() -> None:
        async with aiohttp.ClientSession() as session:
            while not done.is_set():
                began = replicas[0].processor_seconds()
                await Caller(session, caller.urls, None).get("/")
                pauses.append(replicas[0].processor_seconds() - began)

    watching = asyncio.create_task(someone_else())
    for body in SLOW_BODIES:
        assert (await caller.submit(body)).status == 400
    done.set()
    await watching
    assert max(pauses) < 0.25  # 0.08; 0.3 and more before large bodies were parsed with care


async def test_too_many_wrong_keys_from_one_address_are_refused_and_right_ones_are_not(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path
) -> None:
    with replica(kafka.bootstrap, report_store, failures_per_minute=5) as alone:
        async with aiohttp.ClientSession() as session:
            caller = Caller(session, [alone.url], issued[str(owner)])
            wrong = [await caller.using("wrong").submit([]) for _ in range(8)]
            assert [answer.status for answer in wrong] == [401] * 5 + [429] * 3
            assert wrong[-1].body["message"].startswith("Rate limit exceeded. Too many requests with a wrong API key")
            assert int(wrong[-1].headers["Retry-After"]) >= 1
            assert (await caller.submit(images(1))).status == 200


async def test_a_revoked_key_stops_working_at_all_replicas_within_2_seconds(
    kafka: RunningKafka, caller: Caller
) -> None:
    secret = new_secret()
    now = datetime.now(UTC)
    key = ApiKey(key_id=secret.key_id, owner="leaver", secret_sha256=secret.sha256, created_at=now)
    everywhere = [caller.using(secret.text).on(number) for number in range(3)]

    async def works() -> list[bool]:
        return [(await each.submit([])).status == 400 for each in everywhere]

    async def works_everywhere() -> bool:
        return all(await works())

    async def works_nowhere() -> bool:
        return not any(await works())

    async with publisher(kafka.bootstrap, 15, 15) as out:
        await out.publish(API_KEYS, [key])
        await eventually(works_everywhere)
        await out.publish(API_KEYS, [key.model_copy(update={"revoked_at": now})])
        await eventually(works_nowhere, 2)


async def test_keys_may_stand_in_a_file_and_a_revoked_one_stops_within_2_seconds(
    kafka: RunningKafka, caller: Caller, report_store: Path, tmp_path: Path
) -> None:
    secret, path = new_secret(), tmp_path / "keys"
    key = ApiKey(key_id=secret.key_id, owner="file", secret_sha256=secret.sha256, created_at=datetime.now(UTC))
    append_key(path, key)
    with replica(kafka.bootstrap, report_store, api_keys_file=path) as alone:
        client = Caller(caller.session, [alone.url], secret.text)
        assert (await client.submit(images(1))).status == 200
        assert (await client.using(caller.key).submit(images(1))).status == 401  # the topic does not count

        async def is_refused() -> bool:
            return (await client.submit(images(1))).status == 401

        append_key(path, key.model_copy(update={"revoked_at": datetime.now(UTC)}))
        await eventually(is_refused, 2)


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "\x00"])
async def test_headers_cannot_be_injected(caller: Caller, replicas: list[Replica], value: str) -> None:
    reader, writer = await asyncio.open_connection(*_address(replicas[0]))
    try:
        head = f"POST {SUBMIT} HTTP/1.1\r\nHost: h\r\nx-vody-api-key: {caller.key}\r\nPrefer: wait={value}\r\n"
        writer.write(f"{head}Content-Length: 2\r\nConnection: close\r\n\r\n[]".encode())
        async with asyncio.timeout(10):
            reply = await reader.read()
    finally:
        writer.close()
    assert b" 400 " in reply.partition(b"\r\n")[0]
    assert b"X-Injected" not in reply


async def test_a_port_that_is_taken_is_one_clear_sentence(
    kafka: RunningKafka, replicas: list[Replica], report_store: Path
) -> None:
    _, port = _address(replicas[0])
    sentence = f"huestream: HUESTREAM_HOST and HUESTREAM_PORT: 127.0.0.1:{port} cannot be listened on: Address already"
    with pytest.raises(AssertionError, match=sentence), replica(kafka.bootstrap, report_store, port=port):
        raise RuntimeError("it started")
