"""The environment of processes that are started: their settings come through it. Standard library only."""

import os
from collections.abc import Mapping
from typing import Final

PREFIX: Final = "HUESTREAM_"


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """Give this process's environment, with these settings and no others of huestream."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | dict(settings)
