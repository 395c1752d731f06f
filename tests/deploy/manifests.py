"""The manifests as Kubernetes would get them: rendered by kustomize, read back as objects."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = sorted(folder.name for folder in (K8S / "overlays").iterdir())
SERVICES = ("ingest", "classifier", "reporter")

Manifest = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Manifest, ...]:
    """All objects of an overlay; skips by name without a kubectl that knows components."""
    if not shutil.which("kubectl"):
        pytest.skip("NO KUBECTL, THE MANIFESTS WERE NOT BUILT")
    command = ["kubectl", "kustomize", str(K8S / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "unknown field" in done.stderr or "unknown flag" in done.stderr:
        pytest.skip("THE KUBECTL OF THIS MACHINE IS TOO OLD, THE MANIFESTS WERE NOT BUILT")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "kustomize warns"
    return tuple(yaml.load_all(done.stdout, yaml.CSafeLoader))


def of_kind(overlay: str, kind: str) -> dict[str, Manifest]:
    """The objects of one kind, by name."""
    return {found["metadata"]["name"]: found for found in rendered(overlay) if found["kind"] == kind}


def pod_of(overlay: str, service: str) -> Manifest:
    """The pod's specification of a service's Deployment."""
    spec: Manifest = of_kind(overlay, "Deployment")[f"huestream-{service}"]["spec"]["template"]["spec"]
    return spec


def container_of(overlay: str, service: str) -> Manifest:
    [container] = pod_of(overlay, service)["containers"]
    found: Manifest = container
    return found


def settings_of(overlay: str, service: str) -> dict[str, str]:
    """What a service is told: the shared config and its own variables, of which secret ones stand with no value."""
    container = container_of(overlay, service)
    maps = of_kind(overlay, "ConfigMap")
    shared: dict[str, str] = {}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            shared |= maps[source["configMapRef"]["name"]]["data"]
    return shared | {entry["name"]: entry.get("value", "") for entry in container["env"]}
