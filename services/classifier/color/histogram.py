"""The colors of a region counted in cells of 5 bits a channel, each with its exact mean."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.oklab import Floats, oklab_from_srgb
from services.classifier.color.photo import Bytes, Singles

BITS: Final = 5
CELLS: Final = 1 << 3 * BITS
_PLACE_VALUES: Final = np.array([1 << 2 * BITS, 1 << BITS, 1], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Occupied cells (n) with their weight (summing to 1), area share and mean color in OKLab (n, 3)."""

    cells: NDArray[np.intp]
    weight: Floats
    area: Floats
    oklab: Floats


def cells_of(rgb: Bytes) -> NDArray[np.intp]:
    """Number the cell of each color along the last axis."""
    index: NDArray[np.intp] = ((rgb >> (8 - BITS)).astype(np.float32) @ _PLACE_VALUES).astype(np.intp)
    return index


def histogram_of(rgb: Bytes, weight: Singles) -> Histogram:
    """Count colors (n, 3), at least one, with their weights (n), of which one at least is positive."""
    index = cells_of(rgb)
    occupied = np.zeros(CELLS, dtype=np.bool_)
    occupied[index] = True
    cells = np.flatnonzero(occupied)
    number = np.empty(CELLS, dtype=np.intp)
    number[cells] = np.arange(len(cells))
    cell_of = number.take(index)
    area, heavy, red, green, blue = (
        np.bincount(cell_of, weights=each) for each in (None, weight, rgb[:, 0], rgb[:, 1], rgb[:, 2])
    )
    oklab = oklab_from_srgb(np.stack([red, green, blue], axis=-1) / area[:, None] / 255.0)
    return Histogram(cells=cells, weight=heavy / heavy.sum(), area=area / area.sum(), oklab=oklab)
