"""Before partitions go or a reporter ends, what is in hand ends and is durable, and nothing is begun."""

import asyncio

from services.reporter.in_hand import InHand


async def nothing() -> None:
    """All is durable."""


async def test_an_end_waits_for_the_work_in_hand_and_for_what_it_wrote() -> None:
    settled, ending_is_seen = asyncio.Event(), asyncio.Event()

    async def settle() -> None:
        await settled.wait()

    in_hand = InHand(settle)

    async def work() -> None:
        with in_hand.one():
            await ending_is_seen.wait()

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    ending = asyncio.create_task(in_hand.end())
    await asyncio.sleep(0)
    assert in_hand.is_held_back
    ending_is_seen.set()
    await working
    await asyncio.sleep(0)
    assert not ending.done()
    settled.set()
    await asyncio.wait_for(ending, 5)
    assert in_hand.is_held_back


async def test_after_partitions_went_work_is_begun_again_but_never_after_an_end() -> None:
    in_hand = InHand(nothing)
    await in_hand.finish()
    assert not in_hand.is_held_back
    await in_hand.end()
    await in_hand.finish()
    assert in_hand.is_held_back
