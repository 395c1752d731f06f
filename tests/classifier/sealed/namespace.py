"""A network without a way out, in which every address is this machine: a namespace of the test's own.

Inside, each address of IPv4 and IPv6 is delivered to the loopback interface, so that a listener sees every connection
that is tried, and to which address. No packet can leave: there is no other interface.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

NAMESERVER = "127.0.0.53"
_ALL_LOCAL = (
    ("link", "set", "lo", "up"),
    ("route", "add", "local", "0.0.0.0/0", "dev", "lo"),
    ("-6", "route", "add", "local", "::/0", "dev", "lo"),
)


def run_sealed(module: str, *arguments: str, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a module in a namespace of its own, or skip the test by name where the system does not allow one."""
    command = [*_unshare(), sys.executable, "-m", module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, check=False)


def _unshare() -> Sequence[str]:
    for needed in ("unshare", "ip", "mount"):
        if shutil.which(needed) is None:
            pytest.skip(f"NO SEALED NETWORK, NOTHING OF IT WAS TESTED: there is no command {needed}")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *user, "--net", "--mount"]
    tried = subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"NO SEALED NETWORK, NOTHING OF IT WAS TESTED: {tried.stderr.strip()}")
    return command


def seal(folder: Path) -> None:
    """Within the namespace: make every address local, and the name server the one of the test."""
    if len(Path("/proc/net/dev").read_text().splitlines()) != 3:  # two lines of head, and lo
        raise RuntimeError("this is no network namespace of its own: it has other interfaces than lo")
    for line in _ALL_LOCAL:
        subprocess.run(["ip", *line], check=True)
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {NAMESERVER}\noptions timeout:3 attempts:1\n")
    subprocess.run(["mount", "--bind", str(resolver), "/etc/resolv.conf"], check=True)
