"""Hostile hosts on loopback: each ends in a named outcome, in time and within its bytes."""

import asyncio
import socket
import threading
import time

import pytest
import pytest_asyncio

from services.classifier.fetching import fetcher
from services.classifier.memory import Memory
from services.classifier.problems import FetchProblem
from services.classifier.settings import ClassifierSettings
from services.runtime.names import Address, Lookup, system_lookup
from tests.classifier.hostile_hosts import HOSTS, OK, Speak, host, redirect, say


def settings(**changes: object) -> ClassifierSettings:
    given = {
        "environment": "development",
        "allow_networks": "127.0.0.0/8",
        "max_image_bytes": 100_000,
    }
    return ClassifierSettings.model_validate(given | changes)


HURRIED = {"fetch_timeout_seconds": 2, "fetch_read_timeout_seconds": 1, "fetch_total_timeout_seconds": 2.5}
"""Limits for what never answers; whatever answers has those of production, which a busy machine does not reach."""


async def outcome(url: str, lookup: Lookup = system_lookup, **changes: object) -> str:
    given = settings(**changes)
    async with fetcher(given, lookup) as images:
        try:
            with Memory(given.memory_bytes).lease("one") as lease:
                await images.fetch(url, lease)
        except FetchProblem as problem:
            return problem.code
    return "fetched"


async def test_no_message_quotes_the_url_which_may_hold_secrets() -> None:
    lease = Memory(1_000_000).lease("one")
    async with fetcher(settings(allow_networks="")) as images:
        for url in ("http://127.0.0.1/?token=abc", "http://nothing.invalid/?token=abc", "ftp://x/?token=abc"):
            with pytest.raises(FetchProblem) as caught:
                await images.fetch(url, lease)
            assert "abc" not in caught.value.message


async def end_of(speak: Speak, code: str) -> str:
    limits = HURRIED if code == "fetch_timeout" else {}
    async with host(speak) as url, asyncio.timeout(30):
        return await outcome(f"{url}/image.jpg", **limits)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ends() -> list[str | BaseException]:
    """How each hostile host ended, all beside each other: most of the time is waiting."""
    return await asyncio.gather(*(end_of(speak, code) for speak, code in HOSTS), return_exceptions=True)


@pytest.mark.parametrize(("number", "code"), list(enumerate(code for _, code in HOSTS)))
def test_each_hostile_host_ends_in_its_code(ends: list[str | BaseException], number: int, code: str) -> None:
    assert ends[number] == code


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


def resolving(*addresses: str) -> Lookup:
    def lookup(_: str) -> list[Address]:
        return [(socket.AF_INET6 if ":" in text else socket.AF_INET, text) for text in addresses]

    return lookup


@pytest.mark.parametrize("bad", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1", "64:ff9b::7f00:1"])
async def test_a_name_with_one_bad_address_among_good_ones_is_refused(bad: str) -> None:
    lookup = resolving("93.184.216.34", bad)
    assert await outcome("http://name.example/", lookup, allow_networks="") == "fetch_blocked_address"


@pytest.mark.parametrize("dead", ["::1", "127.0.0.2"])
async def test_a_name_of_which_one_address_is_dead_is_fetched_from_the_other(dead: str) -> None:
    lookup = resolving(dead, "127.0.0.1")
    async with host(say(OK + b"Content-Length: 3\r\n\r\nabc")) as url:  # on 127.0.0.1 alone
        port = url.rpartition(":")[2]
        networks = "127.0.0.0/8, ::1/128"
        assert await outcome(f"http://name.example:{port}/", lookup, allow_networks=networks) == "fetched"


class HangingNames:
    """Names that begin with `slow` have no answer until the end."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def lookup(self, name: str) -> list[Address]:
        if name.startswith("slow"):
            self.ended.wait(60)
        return [(socket.AF_INET, "127.0.0.1")]


async def test_names_that_hang_delay_no_other_name() -> None:
    names, memory = HangingNames(), Memory(1_000_000)
    async with host(say(OK + b"Content-Length: 3\r\n\r\nabc")) as url, fetcher(settings(), names.lookup) as images:
        port = url.rpartition(":")[2]
        slow = [
            asyncio.create_task(images.fetch(f"http://slow{n}.example:{port}/", memory.lease(str(n))))
            for n in range(20)
        ]
        try:
            quick = await images.fetch(f"http://quick.example:{port}/", memory.lease("quick"))
            assert quick.content == b"abc"
            assert not any(task.done() for task in slow)
        finally:
            names.ended.set()
        assert [(await task).content for task in slow] == [b"abc"] * 20


async def test_a_name_that_hangs_ends_in_time() -> None:
    names = HangingNames()
    try:
        async with asyncio.timeout(30):
            assert await outcome("http://slow.example/", names.lookup, **HURRIED) == "fetch_timeout"
    finally:
        names.ended.set()


def one_after_another(*answers: bytes) -> tuple[Speak, list[float]]:
    """Answer each connection with the next of the answers; tells when each came."""
    times: list[float] = []

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(len(times), len(answers) - 1)])
        times.append(time.monotonic())

    return speak, times


def status(code: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Such", "Content-Length: 0", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


GOOD = OK + b"Content-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("bad", [status(500), status(503), status(522), status(429), b""])
async def test_what_may_pass_is_tried_again_twice(bad: bytes) -> None:
    speak, times = one_after_another(bad, bad, GOOD)
    async with host(speak) as url:
        assert await outcome(url) == "fetched"
    assert len(times) == 3


async def test_what_does_not_pass_ends_after_three_tries() -> None:
    speak, times = one_after_another(status(502))
    async with host(speak) as url:
        assert await outcome(url) == "fetch_http_status"
    assert len(times) == 3


@pytest.mark.parametrize("bad", [status(404), status(403), status(501), b"garbage\r\n\r\n", redirect("file:///x")])
async def test_what_will_not_pass_is_not_tried_again(bad: bytes) -> None:
    speak, times = one_after_another(bad)
    async with host(speak) as url:
        await outcome(url)
    assert len(times) == 1


async def test_a_host_that_names_a_time_is_asked_no_earlier() -> None:
    speak, times = one_after_another(status(429, "Retry-After: 1"), GOOD)
    async with host(speak) as url:
        assert await outcome(url) == "fetched"
    assert times[1] - times[0] >= 1


async def test_a_time_after_the_end_of_the_batch_is_not_waited_for() -> None:
    speak, times = one_after_another(status(429, "Retry-After: 60"), GOOD)
    async with host(speak) as url, asyncio.timeout(30):
        assert await outcome(url) == "fetch_http_status"
    assert len(times) == 1


async def test_images_wait_for_memory_with_empty_hands() -> None:
    body = OK + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000
    memory = Memory(200_000)
    async with host(say(body)) as url, fetcher(settings()) as images:

        async def one(number: int) -> int:
            with memory.lease(f"inference {number % 3}") as lease:
                content = (await images.fetch(url, lease)).content
                await asyncio.sleep(0.01)
                return len(content)

        assert await asyncio.gather(*map(one, range(12))) == [90_000] * 12
    assert memory.free_bytes == 200_000
