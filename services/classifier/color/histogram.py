"""The colors of a region counted in cells of 5 bits a channel, each with its exact mean."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.oklab import Floats, oklab_from_srgb
from services.classifier.color.photo import Bytes, Singles

BITS: Final = 5
CELLS: Final = 1 << 3 * BITS


@dataclass(frozen=True, eq=False)
class Histogram:
    """Occupied cells (n) with their weight (summing to 1), area share and mean color in OKLab (n, 3)."""

    cells: NDArray[np.intp]
    weight: Floats
    area: Floats
    oklab: Floats


def cells_of(rgb: Bytes) -> NDArray[np.intp]:
    """Number the cell of each color along the last axis."""
    steps = (rgb >> (8 - BITS)).astype(np.intp)
    index: NDArray[np.intp] = (steps[..., 0] << 2 * BITS) | (steps[..., 1] << BITS) | steps[..., 2]
    return index


def histogram_of(rgb: Bytes, weight: Singles) -> Histogram:
    """Count colors (n, 3), at least one, with their weights (n), of which one at least is positive."""
    index = cells_of(rgb)
    counts = np.bincount(index, minlength=CELLS)
    cells = np.flatnonzero(counts)
    area = counts[cells].astype(np.float64)
    heavy = np.bincount(index, weights=weight, minlength=CELLS)[cells]
    mean = np.stack([np.bincount(index, weights=rgb[:, i], minlength=CELLS)[cells] for i in range(3)], axis=-1)
    oklab = oklab_from_srgb(mean / area[:, None] / 255.0)
    return Histogram(cells=cells, weight=heavy / heavy.sum(), area=area / area.sum(), oklab=oklab)
