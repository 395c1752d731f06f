"""Containers for tests: podman where it can run, in a store of its own, with nothing pulled."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.local.folders import user_data_folder
from tests.waiting import wait_for

BASE = "localhost/python:3.11-slim-bookworm"
IMAGE = "localhost/huestream:test"
ROOT = Path(__file__).parents[2]
_CONTAINERS = """\
[containers]
default_ulimits=["nofile=1024:1024", "nproc=4096:4096"]
log_driver="k8s-file"
[engine]
runtime="runc"
cgroup_manager="cgroupfs"
events_logger="file"
"""
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def skip(reason: str) -> None:
    pytest.skip(f"NO CONTAINERS, NOTHING OF THE IMAGE WAS TESTED: {reason}")


@dataclass(frozen=True)
class Podman:
    """A podman with a store of its own, kept between runs; HUESTREAM_TEST_DATA names another folder than the user's."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return dict(os.environ) | {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }

    def run(self, *words: str, timeout: float = 120, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["podman", *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=self.environment,
            cwd=ROOT,
        )
        assert not check or done.returncode == 0, f"podman {' '.join(words[:2])}: {done.stderr[-3000:]}"
        return done

    def once(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a container to its end.

        Detached and asked again and again: where nobody reaps podman's monitor, `podman wait` takes 20 seconds more.
        """
        container = self.run("run", "--detach", *words).stdout.strip()
        try:
            look = ("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", container)

            def ended() -> str | None:
                status, code = self.run(*look).stdout.split()
                return code if status in {"exited", "stopped"} else None

            code = wait_for(ended, f"end of {words[-1]}", timeout)
            said = self.run("logs", container)
            return subprocess.CompletedProcess(words, int(code), said.stdout, said.stderr)
        finally:
            self.run("rm", "--force", "--time=0", container, check=False)

    def exists(self, image: str) -> bool:
        return self.run("image", "exists", image, check=False).returncode == 0

    def size(self, image: str) -> int:
        """Bytes."""
        return int(self.run("image", "inspect", "--format", "{{.Size}}", image).stdout)


def open_podman() -> Podman:
    """Set podman up; skips by name where it cannot run."""
    missing = [tool for tool in ("podman", "runc") if not shutil.which(tool)]
    if missing:
        skip(f"{missing[0]} is not installed")
    named = os.environ.get("HUESTREAM_TEST_DATA")
    folder = (Path(named) if named else user_data_folder()) / "podman"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "containers.conf").write_text(_CONTAINERS)
    store = f'[storage]\ndriver="overlay"\ngraphroot="{folder}/graph"\nrunroot="{folder}/run"\n'
    (folder / "storage.conf").write_text(store)
    podman = Podman(folder)
    tried = podman.run("info", check=False)
    if tried.returncode:
        skip(f"podman info failed: {tried.stderr.strip().splitlines()[-1]}")
    return podman


def ensure_base(podman: Podman) -> None:
    """Have a base image: the real one where it was pulled, else Debian made by debootstrap; skips without either."""
    if podman.exists(BASE):
        return
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        skip("there is no base image, and debootstrap with the rights of root is not here to make one")
    rootfs = podman.folder / "rootfs"
    shutil.rmtree(rootfs, ignore_errors=True)
    packages = "--include=ca-certificates,python3,python3-venv"
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", packages, "bookworm", str(rootfs), _mirror()],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if made.returncode:
        skip(f"debootstrap failed: {made.stdout.strip().splitlines()[-1:]}")
    (rootfs / "usr/bin/python").symlink_to("python3")
    packed = podman.folder / "rootfs.tar"
    subprocess.run(["tar", "-C", str(rootfs), "-cf", str(packed), "."], check=True, timeout=120)
    podman.run("import", str(packed), BASE, timeout=300)
    packed.unlink()
    shutil.rmtree(rootfs, ignore_errors=True)


def _mirror() -> str:
    """The mirror of this machine's own package sources."""
    sources = [*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")]
    for source in sources:
        for line in source.read_text().splitlines() if source.is_file() else []:
            words = line.split()
            if words[:1] == ["URIs:"] or words[:1] == ["deb"]:
                return next(word for word in words if "://" in word)
    skip("no package source is set up")
    raise AssertionError


def build(podman: Podman, tag: str = IMAGE) -> None:
    """Build the image, without pulling anything."""
    trusted: Sequence[str] = ()
    if _AUTHORITIES.is_file():
        path = str(_AUTHORITIES)
        trusted = ("-v", f"{path}:{path}:ro", "--build-arg", f"SSL_CERT_FILE={path}")
    podman.run(
        *("build", "--pull=never", "--format=docker", "--network=host", "--isolation=chroot", *trusted),
        *("--build-arg", f"BASE_IMAGE={BASE}", "--tag", tag, "."),
        timeout=900,
    )
