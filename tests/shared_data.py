"""Data for development that lies beside the project where it lies at all; nothing of it is copied."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def shared(*names: str) -> Path:
    """Find a file or folder of the shared data, or skip the test by name."""
    path = SHARED.joinpath(*names)
    if not path.exists():
        pytest.skip(f"{'/'.join(names)} of the shared data is not beside the project")
    return path
