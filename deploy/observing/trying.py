"""Breaking one thing, seeing what fires, mending it, and seeing that all is quiet again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from deploy.observing.faults import BUSY_MACHINE, Fault, Fired
from deploy.observing.prometheus import Prometheus

_LOOK_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 8.0


@dataclass
class Seen:
    """What fired while one thing was broken, and until all was quiet again."""

    fault: Fault
    fired: dict[Fired, float] = field(default_factory=dict)
    """Seconds from the breaking to the firing."""
    cleared: dict[Fired, float] = field(default_factory=dict)
    """Seconds from the mending to the last time it was seen."""
    notified: set[Fired] = field(default_factory=set)
    """What Alertmanager told; it keeps back what has a cause that it tells, too."""
    resolved: set[Fired] = field(default_factory=set)

    def wrong(self) -> list[str]:
        """What did not go as it should, in sentences."""
        name = self.fault.name
        missed = [
            f"{name}: {alert[0]} ({alert[1]}) did not fire" for alert in sorted(self.fault.must - set(self.fired))
        ]
        others = set(self.fired) - self.fault.must - self.fault.may - BUSY_MACHINE
        loud = [f"{name}: {alert[0]} ({alert[1]}) fired, and should not" for alert in sorted(others)]
        late = [
            f"{name}: {alert[0]} ({alert[1]}) did not clear within {self.fault.clears:.0f} s"
            for alert, seconds in sorted(self.cleared.items())
            if seconds > self.fault.clears
        ]
        silent = [f"{name}: nobody was told of {alert[0]}" for alert in sorted(self.fault.pages() - self.notified)]
        hanging = [
            f"{name}: nobody was told that {alert[0]} is over" for alert in sorted(self.notified - self.resolved)
        ]
        return missed + loud + late + silent + hanging


async def try_fault(prometheus: Prometheus, fault: Fault, say: Callable[[str], None]) -> Seen:
    """Break, wait until all that must fire does and is told, mend, and wait until nothing fires."""
    seen = Seen(fault)
    before = len(prometheus.notifications.told)
    say(f"breaking: {fault.name}")
    began = time.monotonic()
    await fault.break_it()
    await _until_told(prometheus, seen, began, before)
    await fault.mend_it()
    say(f"  mended after {time.monotonic() - began:.0f} s; fired: {_listed(seen)}")
    await _until_quiet(prometheus, seen, began)
    fired = set(seen.fired)  # what fired before may be told late
    seen.notified, seen.resolved = (_told(prometheus, before, state) & fired for state in ("firing", "resolved"))
    for sentence in seen.wrong():
        say(f"  WRONG: {sentence}")
    return seen


def _told(prometheus: Prometheus, before: int, state: str) -> set[Fired]:
    return {(name, receiver) for now, name, receiver in prometheus.notifications.told[before:] if now == state}


async def _until_told(prometheus: Prometheus, seen: Seen, began: float, before: int) -> None:
    """Wait for both: Alertmanager tells nobody of what was over before its next round."""
    fault = seen.fault
    while time.monotonic() - began < fault.within and not (
        fault.must <= set(seen.fired) and fault.pages() <= _told(prometheus, before, "firing")
    ):
        await _look(prometheus, seen, began)
        await asyncio.sleep(_LOOK_SECONDS)


async def _look(prometheus: Prometheus, seen: Seen, began: float) -> set[Fired]:
    firing = await prometheus.firing()
    for alert in firing - set(seen.fired):
        seen.fired[alert] = time.monotonic() - began
    return firing


async def _until_quiet(prometheus: Prometheus, seen: Seen, began: float) -> None:
    """Wait until nothing has fired for a while, or too long."""
    mended = last = time.monotonic()
    while time.monotonic() - last < _QUIET_SECONDS and time.monotonic() - mended < seen.fault.clears + _QUIET_SECONDS:
        for alert in await _look(prometheus, seen, began):
            last = time.monotonic()
            seen.cleared[alert] = last - mended
        await asyncio.sleep(_LOOK_SECONDS)


def _listed(seen: Seen) -> str:
    return ", ".join(f"{name} ({severity}) after {seconds:.0f} s" for (name, severity), seconds in seen.fired.items())
