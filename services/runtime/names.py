"""From a host's name to its addresses: bounded in threads and seconds, and refused where any answer points inward."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from services.runtime.addresses import BlockedAddressError

Address = tuple[int, str]
"""An address family of `socket`, and the address as text."""
Lookup = Callable[[str], Sequence[Address]]
Guard = Callable[[str, int], bool]

LOOKUP_SECONDS: Final = 5.0
MAX_LOOKUPS: Final = 64
_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


def system_lookup(host: str) -> Sequence[Address]:
    """Ask the system's resolver, which may take half a minute and cannot be stopped."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [(family, str(address[0])) for family, _, _, _, address in found]


class GuardedResolver(AbstractResolver):
    """Resolves names in threads of its own, at most `MAX_LOOKUPS` at once, each waited for `LOOKUP_SECONDS`.

    A lookup that hangs keeps its thread until the system gives up, never the loop, the process's end or another lookup.
    """

    def __init__(self, guard: Guard, lookup: Lookup = system_lookup) -> None:
        self._guard = guard
        self._lookup = lookup
        self._free = asyncio.Semaphore(MAX_LOOKUPS)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  # the library's interface; both are wanted
    ) -> list[ResolveResult]:
        """Give all addresses of a name; raises `BlockedAddressError` where one of them may not be connected to."""
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await self._in_thread(host)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        if not all(self._guard(address, port) for _, address in found):
            raise BlockedAddressError
        return [_result(host, port, family, address) for family, address in found]

    async def close(self) -> None:
        """Leave lookups that hang to their threads, which end with the process."""

    async def _in_thread(self, host: str) -> Sequence[Address]:
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Address]] = loop.create_future()

        def settle(found: Sequence[Address], error: Exception | None) -> None:
            self._free.release()
            if answer.done():  # nobody waits any longer
                return
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)

        def look_up() -> None:
            outcome = _outcome(self._lookup, host)
            try:
                loop.call_soon_threadsafe(settle, *outcome)
            except RuntimeError:  # the loop ended before the lookup did
                return

        threading.Thread(target=look_up, name="lookup", daemon=True).start()
        return await answer


def _outcome(lookup: Lookup, host: str) -> tuple[Sequence[Address], Exception | None]:
    try:
        return lookup(host), None
    except Exception as error:  # noqa: BLE001  # of a stranger's name: handed to the one who waits
        return (), error


def _result(host: str, port: int, family: int, address: str) -> ResolveResult:
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=_NUMERIC)
