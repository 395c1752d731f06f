"""Python's garbage collector, kept from holding everyone up: how long it looks is up to how much there is to look at.

It comes by itself when there are so many more containers than the last time. Where new ones take the place of others,
as with each request on connections that stay, it comes late, and looks at all that are new by then: 50,000 in 40 ms.
"""

import asyncio
import gc
from itertools import count
from typing import Final

_ARRIVALS: Final = 64
"""Requests and connections after which what is new is looked at: some thousand containers, in 1 to 4 ms."""
_MORE: Final = 3_000
"""Containers more than the last time, after which the collector comes by itself."""
_NEVER: Final = 2**31 - 1
_PAUSE_SECONDS: Final = 30.0
_FEW: Final = 20_000
"""Old containers that are looked at in 10 to 20 ms; 4,000 connections have 250,000."""
_MANY: Final = 500_000
"""With so many more (about 100 MB), some may be garbage, and a long look is better than no memory."""

_arrived = count(1)


def collect_garbage_rarely() -> None:
    """Keep the collector from what a service holds from its start on, and from looking at much at once.

    What requests leave behind has next to no cycles, so that little comes of looking. At all that is old it looks only
    in `collect_garbage_in_calm`.
    """
    gc.freeze()
    gc.set_threshold(_MORE, 1, _NEVER)


def note_arrival() -> None:
    """Say that a request or a connection has come; now and then the collector looks at what is new since it looked."""
    if not next(_arrived) % _ARRIVALS:
        gc.collect(1)


async def collect_garbage_in_calm() -> None:
    """Look at what is old whenever there is little of it, until canceled."""
    left = _old()
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        if is_due(_old(), left):
            gc.collect()
            left = _old()


def is_due(old: int, left: int) -> bool:
    """Say whether so many old containers can be looked at, or must be; `left` is what the last look has left.

    >>> is_due(1_000, 0), is_due(250_000, 0)
    (True, False)
    """
    return old < _FEW or old - left > _MANY


def _old() -> int:
    return len(gc.get_objects(generation=2))
