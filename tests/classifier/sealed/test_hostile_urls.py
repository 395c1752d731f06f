"""Whatever a URL says, no connection goes to an address that is not on the public web; through the whole service."""

import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.classifier.sealed.namespace import run_sealed
from tests.shared_data import shared

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, kafka_jars: list[Path]) -> dict[str, Any]:
    assert kafka_jars
    folder, jars = tmp_path_factory.mktemp("sealed"), kafka_jars[0].parent
    done = run_sealed(
        "tests.classifier.sealed.hostile_urls", str(folder), str(jars), str(shared("hostile")), timeout_seconds=400
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def denied(hostile: Path) -> set[str]:
    entries = json.loads((hostile / "addresses.json").read_text())
    return {entry["ip"].partition("%")[0] for entry in entries if entry["deny"]}


def test_every_image_ended_and_nothing_broke(seen: dict[str, Any]) -> None:
    assert sum(seen["outcomes"].values()) + seen["dead_letters"] == seen["sent"] > 2000
    assert seen["tracebacks"] == 0
    assert seen["outcomes"].get("internal", 0) == 0
    assert seen["names_asked"] > 50


def test_no_connection_reached_an_address_that_is_not_public(seen: dict[str, Any]) -> None:
    reached = {ip_address(address) for address, _, _ in seen["reached"]}
    assert not {ip_address(text) for text in denied(shared("hostile"))} & reached
    assert [str(address) for address in reached if not address.is_global] == []
    assert {port for _, port, _ in seen["reached"]} <= {80, 443}


def test_what_is_public_was_reached_so_that_the_others_could_have_been(seen: dict[str, Any]) -> None:
    assert seen["outcomes"]["succeeded"] > 100
    for entry in json.loads(shared("hostile", "addresses.json").read_text()):
        host = f"[{entry['ip'].replace('%', '%25')}]" if ":" in entry["ip"] else entry["ip"]
        wanted = {"fetch_blocked_address", "fetch_failed", None} if entry["deny"] else {"succeeded"}
        assert seen["by_url"].get(f"http://{host}/") in wanted, entry["ip"]


def test_names_that_point_inward_are_blocked_and_those_that_do_not_exist_told(seen: dict[str, Any]) -> None:
    by_name = {
        name: seen["by_url"][f"http://{name}.example/"]
        for name in ("inside", "metadata", "mixed", "private", "v6only", "none", "slow", "good")
    }
    blocked = dict.fromkeys(("inside", "metadata", "mixed", "private", "v6only"), "fetch_blocked_address")
    assert by_name == blocked | {"none": "fetch_dns", "slow": by_name["slow"], "good": "succeeded"}
    assert by_name["slow"] in {"fetch_dns", "fetch_timeout"}
