"""Connections to hosts that strangers name: checked where the socket is made, after every resolution and redirect."""

import socket
from collections.abc import Callable

import aiohttp
from aiohttp.connector import AddrInfoType

from services.runtime.addresses import BlockedAddressError
from services.runtime.names import Guard


def guarded_sockets(guard: Guard) -> Callable[[AddrInfoType], socket.socket]:
    """Make the sockets that may be made: the last check, for names, literals and every redirect."""

    def guarded_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not guard(str(address[0]), int(str(address[1]))):
            raise BlockedAddressError
        return socket.socket(family, kind, protocol)

    return guarded_socket


def is_blocked(error: Exception) -> bool:
    """Say whether a failed request failed because its address may not be connected to."""
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    return isinstance(error, BlockedAddressError) or str(error) == str(BlockedAddressError())
