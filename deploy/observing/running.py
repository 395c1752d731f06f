"""One run, from the start of everything to what was seen."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.observing.checking import Checked, check_all
from deploy.observing.faults import Fault, faults, together
from deploy.observing.load import Customer, ImageHost, image_host
from deploy.observing.preview import draw_previews
from deploy.observing.prometheus import Prometheus, watched
from deploy.observing.system import ObserveError, System, running_system
from deploy.observing.trying import Seen, try_fault
from deploy.watching.alerts import JOBS
from deploy.watching.pace import Pace

PACE: Final = Pace(60)
_STEADY_SECONDS: Final = 150.0
_STEADY_SECONDS_SHORT: Final = 20.0
_QUIET_SECONDS: Final = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    short: bool = False
    only: str = ""
    pictures: Path | None = None


@dataclass
class Outcome:
    """What was seen."""

    steady_seconds: float
    checked: Checked
    statuses: dict[int, int]
    tried: list[Seen] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """All that is not as it should be."""
        return self.checked.wrong + [sentence for seen in self.tried for sentence in seen.wrong()]

    def text(self) -> str:
        """Tell it as a table."""
        checked = self.checked
        lines = [
            f"{self.steady_seconds:.0f} s of steady load, answers: {self.statuses}",
            f"{checked.panels} panels with {checked.queries} queries, each asked of Prometheus",
            f"{checked.alerts} alerts that look at {checked.selections} selections, each asked of Prometheus",
            "",
            *(line for seen in self.tried for line in _lines(seen)),
            "",
            *(self.wrong() or ["all as it should be"]),
        ]
        return "\n".join(lines)


def _lines(seen: Seen) -> list[str]:
    told = [
        f"    {name} ({severity}): after {seconds:.0f} s; over {seen.cleared.get((name, severity), 0):.0f} s "
        "after mending"
        f"{'' if (name, severity) in seen.notified else '; kept back by Alertmanager'}"
        for (name, severity), seconds in sorted(seen.fired.items(), key=lambda one: one[1])
    ]
    return [f"  {seen.fault.name}", *told]


async def observe(folder: Path, jars: Path, plan: Plan, say: Say) -> Outcome:
    """Do all of it; raises `ObserveError` when the run cannot go on."""
    async with AsyncExitStack() as stack:
        say("starting Kafka, the services, Prometheus and Alertmanager")
        host = await stack.enter_async_context(image_host())
        system = await stack.enter_async_context(running_system(folder, jars))
        prometheus = await stack.enter_async_context(watched(folder / "prometheus", system.targets(), PACE))
        customer = await stack.enter_async_context(_submitting(system, host))
        return await _observed(system, host, prometheus, customer, plan, say)


@asynccontextmanager
async def _submitting(system: System, host: ImageHost) -> AsyncIterator[Customer]:
    customer = Customer(system.layout.endpoint, system.api_key, host)
    task = asyncio.create_task(customer.submit_steadily())
    try:
        yield customer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _observed(
    system: System, host: ImageHost, prometheus: Prometheus, customer: Customer, plan: Plan, say: Say
) -> Outcome:
    steady = _STEADY_SECONDS if plan.pictures else _STEADY_SECONDS_SHORT
    await _until_quiet(prometheus)
    say(f"steady load for {steady:.0f} s")
    began = time.time()
    await asyncio.sleep(steady)
    await _until_quiet(prometheus)
    end = time.time()
    checked = await check_all(prometheus, began, end, PACE)
    say(f"asked {checked.queries} queries of {checked.panels} panels, {len(checked.wrong)} wrong")
    if plan.pictures:
        await draw_previews(prometheus, began, end, plan.pictures, say)
    outcome = Outcome(steady, checked, customer.statuses)
    for fault in chosen(faults(system, host), plan):
        outcome.tried.append(await try_fault(prometheus, fault, say))
    return outcome


async def _until_quiet(prometheus: Prometheus) -> None:
    """Wait until all is scraped, which Prometheus begins after five seconds, and nothing fires."""
    try:
        async with asyncio.timeout(_QUIET_SECONDS):
            while len(await prometheus.targets_up()) < len(JOBS) or await prometheus.firing():
                await asyncio.sleep(0.5)
    except TimeoutError as error:
        firing = ", ".join(sorted(name for name, _ in await prometheus.firing()))
        raise ObserveError(f"under steady load alone these fire: {firing}") from error


def chosen(all_of_them: list[Fault], plan: Plan) -> list[Fault]:
    """What is broken in this run: in a short one the first two, at once."""
    if plan.short:
        return [together(*all_of_them[:2])]
    return [fault for fault in all_of_them if plan.only in fault.name]
