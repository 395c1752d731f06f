"""A thousand may watch the same inference: each is woken, few in a turn of the event loop."""

import asyncio
from contextlib import ExitStack

from services.ingest.watching import Watchers
from services.runtime.loops import AT_ONCE


async def test_all_who_watch_are_woken_a_few_in_each_turn() -> None:
    watchers = Watchers()
    with ExitStack() as stack:
        events = [stack.enter_context(watchers.watching("a")) for _ in range(5 * AT_ONCE)]
        other = stack.enter_context(watchers.watching("b"))
        watchers.changed("a")
        woken = [sum(event.is_set() for event in events)]
        while woken[-1] < len(events):
            await asyncio.sleep(0)
            woken.append(sum(event.is_set() for event in events))
            assert woken[-1] - woken[-2] == AT_ONCE
        assert woken[0] == AT_ONCE
        assert not other.is_set()
