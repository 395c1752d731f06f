"""A thousand who ask for the same thing at the same time do not make a thousand readings."""

import asyncio

import pytest

from services.runtime.shared import SharedReads


class Log:
    """Grows, and is read as far as it goes when the reading begins."""

    def __init__(self) -> None:
        self.length = 0
        self.readings = 0
        self.is_read = asyncio.Event()
        self.may_end = asyncio.Event()

    async def read(self) -> int:
        self.readings += 1
        self.is_read.set()
        found = self.length
        await self.may_end.wait()
        return found


async def test_who_asks_before_a_reading_begins_shares_it_and_who_asks_later_finds_what_is_new() -> None:
    reads, log = SharedReads[int](at_once=1), Log()
    first = asyncio.create_task(reads.of("a", log.read))
    await log.is_read.wait()
    log.length = 5
    later = [asyncio.create_task(reads.of("a", log.read)) for _ in range(100)]
    await asyncio.sleep(0)
    log.may_end.set()
    async with asyncio.timeout(10):
        assert await first == 0
        assert set(await asyncio.gather(*later)) == {5}
    assert log.readings == 2


async def test_different_things_are_read_beside_each_other_up_to_the_limit() -> None:
    reads, log = SharedReads[int](at_once=2), Log()
    asked = [asyncio.create_task(reads.of(name, log.read)) for name in "abc"]
    for _ in range(10):
        await asyncio.sleep(0)
    assert log.readings == 2
    log.may_end.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*asked)
    assert log.readings == 3


async def test_all_who_share_a_reading_learn_that_it_failed_and_the_next_one_is_another() -> None:
    reads = SharedReads[int](at_once=1)

    async def fail() -> int:
        raise ConnectionError("the broker is away")

    async def read() -> int:
        return 7

    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*(reads.of("a", fail) for _ in range(3)), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["the broker is away"] * 3
        assert await reads.of("a", read) == 7


async def test_a_reading_goes_on_for_the_others_when_one_is_gone() -> None:
    reads, log = SharedReads[int](at_once=1), Log()
    gone, stays = (asyncio.create_task(reads.of("a", log.read)) for _ in range(2))
    await log.is_read.wait()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    log.may_end.set()
    async with asyncio.timeout(10):
        assert await stays == 0
