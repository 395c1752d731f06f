"""`huestream sbom`: what this installation is made of, as CycloneDX.

Source: CycloneDX specification 1.6, JSON format.
"""

import argparse
import json
import platform
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions

from services.administration.connecting import say

_OURS = "huestream"


def configure(_: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(_: argparse.Namespace) -> int:
    """Write one JSON document; returns the exit status."""
    say(json.dumps(bill_of_materials(distributions()), indent=2))
    return 0


def bill_of_materials(installed: Iterable[Distribution]) -> dict[str, object]:
    """List the distributions and the Python that runs them, the same bytes for the same installation."""
    components = {name: component for found in installed if (component := _component(found)) and (name := found.name)}
    ours = components.pop(_OURS, None)
    python = {"type": "platform", "name": "python", "version": platform.python_version()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours or {"type": "application", "name": _OURS}},
        "components": [python, *(components[name] for name in sorted(components, key=str.lower))],
    }


def _component(found: Distribution) -> dict[str, object]:
    name = re.sub(r"[-_.]+", "-", found.name).lower()
    purl = f"pkg:pypi/{name}@{found.version}"
    component: dict[str, object] = {
        "type": "application" if name == _OURS else "library",
        "bom-ref": purl,
        "name": found.name,
        "version": found.version,
        "purl": purl,
    }
    fields = found.metadata.json
    license_text = str(fields.get("license_expression") or fields.get("license") or "")
    if license_text and "\n" not in license_text:
        component["licenses"] = [{"license": {"name": license_text}}]
    return component
