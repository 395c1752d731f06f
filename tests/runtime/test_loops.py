"""However many sockets are ready at the same moment, others wait for a few of them only."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise

import pytest

from services.runtime.loops import AT_ONCE, Gate, Stints, Turnstile, fair_loop

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


async def most_in_a_turn(through: list[int], visits: Sequence[asyncio.Task[None]]) -> int:
    """Wait for visits; give how many went through in the turn of the event loop that let most through."""
    turns = []
    async with asyncio.timeout(10):
        while not all(each.done() for each in visits):
            before = len(through)
            await asyncio.sleep(0)
            turns.append(len(through) - before)
    return max(turns)


async def test_a_few_are_let_in_with_each_turn_in_the_order_in_which_they_came() -> None:
    turnstile, entered = Turnstile(), list[int]()

    async def visit(number: int) -> None:
        await turnstile.enter()
        entered.append(number)

    visits = [asyncio.create_task(visit(number)) for number in range(COUNT)]
    gone = visits[AT_ONCE + 1]
    asyncio.get_running_loop().call_soon(gone.cancel)  # it waits by then
    assert await most_in_a_turn(entered, visits) <= AT_ONCE
    assert entered == [number for number in range(COUNT) if number != AT_ONCE + 1]


async def test_those_who_wait_at_a_gate_go_through_a_few_in_each_turn() -> None:
    gate, through = Gate(), list[int]()

    async def visit(number: int) -> None:
        await gate.passed()
        through.append(number)

    visits = [asyncio.create_task(visit(number)) for number in range(COUNT)]
    await asyncio.sleep(0)
    assert not through
    gate.open()
    assert await most_in_a_turn(through, visits) <= AT_ONCE
    await asyncio.wait_for(gate.passed(), 10)
    assert through == list(range(COUNT))
    gate.close()
    late = asyncio.create_task(gate.passed())
    await asyncio.sleep(0)
    assert not late.done()
    gate.open()
    await late


async def test_long_work_is_done_in_pieces_and_leaves_others_as_much_time() -> None:
    stints, pieces = Stints(), list[tuple[float, float]]()

    def work(name: str, count: int) -> Generator[None, None, str]:
        for _ in range(count):
            began = time.monotonic()
            while time.monotonic() < began + 0.01:
                pass
            pieces.append((began, time.monotonic()))
            yield
        return name

    async with asyncio.timeout(10):
        done = await asyncio.gather(stints.do(work("a", 3)), stints.do(work("b", 2)))
    assert done == ["a", "b"]
    assert len(pieces) == 5
    assert all(after[0] - before[1] >= 0.9 * (before[1] - before[0]) for before, after in pairwise(pieces))


async def test_work_that_fails_leaves_its_place_to_the_next() -> None:
    stints = Stints()

    def fail() -> Generator[None, None, None]:
        yield
        raise ValueError("a body that is no JSON")

    def succeed() -> Generator[None, None, int]:
        yield
        return 1

    with pytest.raises(ValueError, match="no JSON"):
        await stints.do(fail())
    async with asyncio.timeout(10):
        assert await stints.do(succeed()) == 1
