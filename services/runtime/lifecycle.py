"""How a service begins and ends: one event loop, signals that stop it cleanly, one sentence when it cannot run."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

from services.runtime.admission import NOT_ALLOWED, KafkaUnavailableError, not_allowed
from services.runtime.loops import fair_loop
from services.runtime.settings import SettingsError
from services.runtime.topic_admin import TopicError

Main = Callable[[asyncio.Event], Awaitable[None]]
_EXPECTED = (SettingsError, KafkaUnavailableError, TopicError)


def run_service(main: Main) -> int:
    """Run until SIGINT or SIGTERM sets the event given to `main`; returns the exit status."""
    try:
        with asyncio.Runner(loop_factory=fair_loop) as runner:
            runner.run(_with_signals(main))
    except _EXPECTED as error:
        return _refused(error)
    except NOT_ALLOWED as error:
        return _refused(not_allowed(error))
    return 0


def _refused(error: Exception) -> int:
    sys.stderr.write(f"huestream: {error}\n")
    return 1


async def _with_signals(main: Main) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    await main(stopping)


async def until_stopped(stopping: asyncio.Event, *forever: Coroutine[None, None, None]) -> None:
    """Run endless work beside each other until the event is set; the first exception of any of it ends all."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in forever]
            await stopping.wait()
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


@asynccontextmanager
async def beside(*forever: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run endless work until the block ends; the first exception of any of it ends the block, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in forever]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
