"""Ports of this machine that nobody uses."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

HOST: Final = "127.0.0.1"


class PortInUseError(Exception):
    """A port that was asked for is taken; the message names it."""


def free_ports(wanted: Sequence[int]) -> list[int]:
    """Find ports of loopback that are free and differ, 0 standing for any; raises `PortInUseError`."""
    with ExitStack() as held:  # all are held until the last is chosen, so that none is handed out twice
        return [_bound(held.enter_context(socket.socket()), port) for port in wanted]


def _bound(probe: socket.socket, wanted: int) -> int:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((HOST, wanted))
    except OSError as error:
        raise PortInUseError(f"port {wanted} is in use; choose another one, or none for a free one") from error
    return int(probe.getsockname()[1])
