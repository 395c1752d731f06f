"""What a process is made of: its version, and a hash that tells whether two of a service have the same settings."""

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from pydantic_settings import BaseSettings

from services.runtime.metrics import BUILD
from services.runtime.secret_files import is_secret

_OWN: Final = frozenset({"metrics_host", "metrics_port", "host", "port", "group_instance_id", "state_dir"})
"""What may differ between processes that are set up alike."""


def describe_build(service: str, settings: BaseSettings) -> None:
    """Say on /metrics what runs here."""
    BUILD.info({"service": service, "version": installed_version(), "config_hash": config_hash(settings)})


def installed_version() -> str:
    """Name the version of huestream that runs."""
    try:
        return version("huestream")
    except PackageNotFoundError:
        return "unknown"


def config_hash(settings: BaseSettings) -> str:
    """Hash the settings, in twelve digits; of secrets only whether they are set."""
    told = settings.model_dump(mode="json")
    fields = type(settings).model_fields
    known = {
        name: value is not None if is_secret(fields[name]) else value
        for name, value in told.items()
        if name not in _OWN
    }
    written = {name: sorted(value) if isinstance(value, list) else value for name, value in known.items()}
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:12]
