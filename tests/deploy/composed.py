"""docker-compose.yml's own services as containers, without Compose: its keys become podman's options.

Images cannot be pulled where the tests run, so that Kafka and mailpit are replaced by what the caller names: a broker
and an SMTP server of this machine, reached over its own network. Everything else is as the file says.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.deploy.podman import IMAGE, ROOT, Podman
from tests.waiting import wait_for

REPLACED = ("kafka", "mailpit")
WATCHING = ("prometheus", "alertmanager", "grafana")
"""Cannot be pulled either: tests/system/test_observing.py runs Debian's, with the same rules."""
_KNOWN = {
    *("image", "init", "read_only", "cap_drop", "security_opt", "restart", "logging", "user", "tmpfs", "depends_on"),
    *("healthcheck", "stop_grace_period", "pids_limit", "command", "entrypoint", "environment", "volumes", "ports"),
    *("mem_limit", "scale", "secrets", "profiles"),
}


def services() -> dict[str, dict[str, Any]]:
    """The services of the file; a key that this module would ignore is an error."""
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found: dict[str, dict[str, Any]] = document["services"]
    for name, service in found.items():
        unknown = set(service) - _KNOWN
        assert not unknown, f"{name}: {unknown}"
    return found


def in_order() -> list[str]:
    """Our own services that run by default, each after those that it depends on."""
    found = {name: service for name, service in services().items() if "profiles" not in service}
    others = (*REPLACED, *WATCHING)
    ordered: list[str] = list(others)
    while len(ordered) < len(found):
        ordered.append(
            next(name for name, s in found.items() if name not in ordered and set(s["depends_on"]) <= set(ordered))
        )
    return ordered[len(others) :]


@dataclass
class Composed:
    """The containers of one run."""

    podman: Podman
    prefix: str
    changes: Mapping[str, str]
    """Variables that lead to what replaces the services that cannot be had."""
    containers: dict[str, str] = field(default_factory=dict)
    """Names of the containers that run, with the service of each."""

    def options(self, name: str, environment: Mapping[str, str]) -> list[str]:
        service = services()[name]
        given = {key: str(value) for key, value in service["environment"].items()}
        variables = given | dict(self.changes) | dict(environment)
        hardened = ["--read-only", "--read-only-tmpfs=false"] if service["read_only"] else []
        return [
            *("--pull=never", "--network=host", *hardened, "--user", service["user"]),
            *(f"--cap-drop={capability}" for capability in service["cap_drop"]),
            *("--security-opt", "no-new-privileges", "--pids-limit", str(service["pids_limit"])),
            *("--memory", service["mem_limit"]),
            *(f"--tmpfs={tmpfs}" for tmpfs in service["tmpfs"]),
            *(f"--volume={self.prefix}-{volume}" for volume in service.get("volumes", ())),
            *self._secrets(service),
            *self._health(service["healthcheck"]),
            *(f"--env={key}={value}" for key, value in variables.items()),
        ]

    def _secrets(self, service: Mapping[str, Any]) -> list[str]:
        files = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["secrets"]
        return [
            f"--volume={ROOT / files[secret]['file']}:/run/secrets/{secret}:ro" for secret in service.get("secrets", ())
        ]

    def _health(self, health: Mapping[str, Any]) -> list[str]:
        """Podman 4 splits what it is given at blanks, and asks only when told to."""
        if health.get("disable"):
            return ["--no-healthcheck"]
        return [f"--health-cmd={' '.join(health['test'][1:])}", "--health-interval=disable"]

    def once(self, name: str, *words: str) -> str:
        """Run a service that ends, to its end; returns what it said."""
        service = services()[name]
        entrypoint = [f"--entrypoint={json.dumps(service['entrypoint'])}"] if "entrypoint" in service else []
        command = words or service["command"]
        done = self.podman.once(*entrypoint, *self.options(name, {}), IMAGE, *command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, container: str, **environment: str) -> None:
        told = {f"HUESTREAM_{key}": value for key, value in environment.items()}
        options = self.options(name, told)
        self.podman.run("run", "--detach", f"--name={container}", *options, IMAGE, *services()[name]["command"])
        self.containers[container] = name

    def wait_until_healthy(self, container: str) -> None:
        def healthy() -> bool:
            return self.podman.run("healthcheck", "run", container, check=False).returncode == 0

        try:
            wait_for(healthy, f"health of {container}", 90, pause_seconds=0.5)
        except AssertionError as error:
            raise AssertionError(self.said(container)) from error

    def said(self, container: str) -> str:
        """The last of what a container wrote."""
        done = self.podman.run("logs", container)
        return (done.stdout + done.stderr)[-3000:]

    def stop(self, container: str) -> int:
        """Stop it as Compose does, within the grace of its service; returns its exit status."""
        grace = services()[self.containers[container]]["stop_grace_period"].removesuffix("s")
        self.podman.run("stop", "--time", grace, container)
        return int(self.podman.run("inspect", "--format", "{{.State.ExitCode}}", container).stdout)

    def remove(self) -> None:
        for container in self.containers:
            self.podman.run("rm", "--force", "--time=1", container, check=False)
        self.podman.run("volume", "rm", "--force", f"{self.prefix}-reports", check=False)
