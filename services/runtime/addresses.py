"""Which addresses may be connected to: the public web, by explicit tables (`is_global` is wrong on half of them).

Source: IANA special-purpose address registries for IPv4 and IPv6; 168.63.129.16 is a cloud's internal host service.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network

DENIED_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
    )
)
ALLOWED_V6: Final = IPv6Network("2000::/3")
DENIED_V6: Final = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_ISATAP: Final = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))


class BlockedAddressError(OSError):
    """The address is not one that may be connected to."""

    def __init__(self) -> None:
        # Constant, and the same for each leg of happy eyeballs: aiohttp merges errors only when all texts are equal.
        super().__init__("blocked address")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address belongs to the public web."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in DENIED_V4)
    return (
        address.scope_id is None
        and address in ALLOWED_V6
        and not any(address in network for network in DENIED_V6)
        and address.packed[8:12] not in _ISATAP
    )


def may_connect(host: str, port: int, ports: frozenset[int], allow_networks: Sequence[Network]) -> bool:
    """Decide about one socket address; text that is no address is refused.

    >>> may_connect("127.0.0.1", 80, frozenset({80}), ())
    False
    >>> may_connect("127.0.0.1", 8080, frozenset({80}), (IPv4Network("127.0.0.0/8"),))
    True
    """
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if any(address in network for network in allow_networks if network.version == address.version):
        return True
    return port in ports and is_public(address)
