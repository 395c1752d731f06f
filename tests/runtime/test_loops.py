"""However many sockets are ready at the same moment, others wait for a few of them only."""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from services.runtime.loops import AT_ONCE, Turnstile, fair_loop

COUNT = 10 * AT_ONCE


@pytest.fixture
def ready() -> Iterator[list[socket.socket]]:
    """Sockets that something has come in at, which nobody reads: they stay ready."""
    with ExitStack() as opened:
        pairs = [[opened.enter_context(each) for each in socket.socketpair()] for _ in range(COUNT)]
        for here, there in pairs:
            here.setblocking(False)
            there.send(b"x")
        yield [here for here, _ in pairs]


def test_a_few_sockets_are_looked_at_in_a_turn_and_each_has_its_turn(ready: list[socket.socket]) -> None:
    seen: Counter[int] = Counter()
    turns: list[int] = []

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        for number, each in enumerate(ready):
            loop.add_reader(each, seen.update, [number])
        async with asyncio.timeout(10):
            while len(seen) < COUNT:
                before = seen.total()
                await asyncio.sleep(0)
                turns.append(seen.total() - before)
        for each in ready:
            loop.remove_reader(each)

    with asyncio.Runner(loop_factory=fair_loop) as runner:
        runner.run(watch())
    assert 0 < max(turns) <= AT_ONCE
    assert max(seen.values()) <= 2  # those that were first did not come again before the last


async def test_a_few_are_let_in_with_each_turn_in_the_order_in_which_they_came() -> None:
    turnstile, entered = Turnstile(), list[int]()

    async def visit(number: int) -> None:
        await turnstile.enter()
        entered.append(number)

    visits = [asyncio.create_task(visit(number)) for number in range(COUNT)]
    gone = visits[AT_ONCE + 1]
    turns = []
    async with asyncio.timeout(10):
        while not all(each.done() for each in visits):
            before = len(entered)
            await asyncio.sleep(0)
            turns.append(len(entered) - before)
            gone.cancel()
    assert max(turns) <= AT_ONCE
    assert entered == [number for number in range(COUNT) if number != AT_ONCE + 1]
