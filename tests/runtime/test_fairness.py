import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.fairness import RoundRobin, Turns


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_everything_comes_out_once_and_in_its_owners_order(items: list[tuple[str, int]]) -> None:
    line = RoundRobin[int]()
    for owner, item in items:
        line.put(owner, item)
    found = []
    while (taken := line.take()) is not None:
        found.append(taken)
    for owner in "abc":
        assert [item for name, item in found if name == owner] == [item for name, item in items if name == owner]
    assert len(found) == len(items)


@given(st.integers(1, 50), st.integers(1, 5))
def test_one_of_few_waits_for_one_of_each_other_owner_at_most(many: int, others: int) -> None:
    line = RoundRobin[str]()
    for owner in range(others):
        for _ in range(many):
            line.put(str(owner), "many")
    line.put("new", "few")
    before = 0
    while (taken := line.take()) is not None and taken[1] != "few":
        before += 1
    assert before <= others


def test_owners_that_may_not_are_passed_over_and_dropped_items_do_not_come() -> None:
    line = RoundRobin[int]()
    for owner, item in [("a", 1), ("b", 2), ("a", 3), ("b", 4)]:
        line.put(owner, item)
    assert line.take(lambda owner: owner == "b") == ("b", 2)
    assert line.take(lambda _: False) is None
    assert line.drop(lambda item: item in {1, 4}) == [1, 4]
    assert line.take() == ("a", 3)
    assert line.take() is None


async def test_turns_are_limited_fair_and_survive_cancellation() -> None:
    turns, at_work, most, order = Turns(2), Counter[str](), 0, list[str]()

    async def work(owner: str) -> None:
        nonlocal most
        async with turns.turn(owner):
            at_work["all"] += 1
            most = max(most, at_work["all"])
            await asyncio.sleep(0.001)
            at_work["all"] -= 1
            order.append(owner)

    many = [asyncio.create_task(work("many")) for _ in range(40)]
    few = asyncio.create_task(work("few"))
    await asyncio.sleep(0)
    for task in many[10:30]:
        task.cancel()
    await asyncio.gather(*many, few, return_exceptions=True)
    assert most == 2
    assert order.index("few") <= 4
    assert len(order) == 21
    await asyncio.wait_for(work("after"), 30)


async def test_a_turn_granted_to_one_who_was_just_canceled_is_passed_on() -> None:
    turns = Turns(1)
    first = turns.turn("a")
    await first.__aenter__()
    waiting = asyncio.create_task(turns.turn("b").__aenter__())
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(30), turns.turn("c"):
        pass


async def test_who_holds_many_turns_leaves_some_for_others() -> None:
    turns = Turns(8, leave_some=True)
    hogs = [asyncio.create_task(turns.begin("hog")) for _ in range(20)]
    await asyncio.sleep(0)
    assert sum(task.done() for task in hogs) == 4
    for owner in ("two", "three"):
        async with asyncio.timeout(30):
            await turns.begin(owner)
    turns.end("two")
    turns.end("three")
    for _ in range(20):
        turns.end("hog")
        await asyncio.sleep(0)
    assert all(task.done() for task in hogs)
    assert turns.is_idle
