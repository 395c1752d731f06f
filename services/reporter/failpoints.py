"""Ending the process on purpose at one step of a batch's end, for tests: the steps M1 to M8 of docs/decisions/0021."""

import os
import signal
from collections.abc import Callable
from typing import Literal

Step = Literal["M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8"]
"""M1: the outbox is not yet durable. M2: it is, the mail server was not called. M3: called, but no DATA.
M4: refused for good, not yet recorded. M5: in DATA, before the final dot. M6: after it, before the answer.
M7: accepted, but the sent marker is not yet durable. M8: it is, the offset is not committed."""

Reach = Callable[[Step], None]


def survive(_: Step) -> None:
    """Go on."""


def failpoint(chosen: Step | None) -> Reach:
    """Give what is called at each step: it ends the process, as a crash would, when that is the chosen one."""

    def reach(step: Step) -> None:
        if step == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach
