"""The model file: the same arrays make the same bytes."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.model import MODEL_FILE

SHIPPED: Final = Path(__file__).parents[1] / "services" / "classifier" / "color" / MODEL_FILE


def read_model(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of a model file."""
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def write_model(arrays: dict[str, NDArray[np.generic]], path: Path) -> None:
    """Write arrays in the order of their names; numpy dates the entries 1980."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = {name: arrays[name] for name in sorted(arrays)}
    np.savez_compressed(path, allow_pickle=False, **ordered)
