import json
from ipaddress import IPv4Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.addresses import DENIED_V4, is_public, may_connect
from tests.shared_data import shared


def test_the_labeled_addresses_are_told_apart_without_an_error() -> None:
    entries = json.loads(shared("hostile", "addresses.json").read_text())
    assert len(entries) > 50
    wrong = [entry for entry in entries if may_connect(entry["ip"], 80, frozenset({80}), ()) == entry["deny"]]
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "169.254.169.254",
        "10.1.2.3",
        "::1",
        "::ffff:8.8.8.8",
        "fe80::1%eth0",
        "64:ff9b::808:808",
        "2002::1",
    ],
)
def test_what_is_not_the_public_web_is_refused(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111"])
def test_the_public_web_is_allowed(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.sampled_from(DENIED_V4), st.integers(0, 2**32 - 1))
def test_every_address_of_a_denied_network_is_refused(network: IPv4Network, offset: int) -> None:
    first = int(network.network_address)
    size = network.num_addresses
    assert not is_public(ip_address(first + offset % size))


@pytest.mark.parametrize(("host", "port"), [("8.8.8.8", 22), ("8.8.8.8", 0), ("no address", 80), ("", 80)])
def test_other_ports_and_what_is_no_address_are_refused(host: str, port: int) -> None:
    assert not may_connect(host, port, frozenset({80, 443}), ())
