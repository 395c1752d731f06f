"""Where in the box of a product each pixel lies, on the grid of the learned maps."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.photo import Mask

Places = NDArray[np.intp]

MAP_SIDE: Final = 16


def place_of(mask: Mask) -> Places:
    """Number the place in the map of every pixel of a mask, in the order of the mask (n)."""
    rows, columns = (_steps(np.logical_or.reduce(mask, axis=axis)) for axis in (1, 0))
    places: Places = (rows[:, None] * MAP_SIDE + columns[None, :])[mask]
    return places


def _steps(occupied: Mask) -> Places:
    inside = np.flatnonzero(occupied)
    first, count = inside[0], inside[-1] - inside[0] + 1
    steps: Places = ((np.arange(len(occupied)) - first) * MAP_SIDE // count).clip(0, MAP_SIDE - 1)
    return steps
