"""Which pixels are the product, and how much each of them counts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.background import Backdrop, central_ellipse, without_edge
from services.classifier.color.photo import Mask, Singles

Places = NDArray[np.intp]

MAP_SIDE: Final = 16
_LEAST_SHARE: Final = 0.02


@dataclass(frozen=True, eq=False)
class Product:
    """The mask of the product (height, width), how much each pixel counts, and whether a product was found at all."""

    mask: Mask
    weight: Singles
    found: bool


def product_of(backdrop: Backdrop) -> Product:
    """Take what stands before the background."""
    found = bool(backdrop.foreground.mean() >= _LEAST_SHARE)
    mask = without_edge(backdrop.foreground if found else central_ellipse(backdrop.foreground.shape))
    return Product(mask, mask.astype(np.float32), found)


def _lines_of(mask: Mask) -> tuple[Places, Places]:
    """Give the map row of each pixel row and the map column of each pixel column, over the mask's box."""
    return _steps(mask.sum(axis=1)), _steps(mask.sum(axis=0))


def _steps(occupied: Places) -> Places:
    inside = np.flatnonzero(occupied)
    first, count = inside[0], inside[-1] - inside[0] + 1
    steps: Places = ((np.arange(len(occupied)) - first) * MAP_SIDE // count).clip(0, MAP_SIDE - 1)
    return steps


def place_of(mask: Mask) -> Places:
    """Number the place in the map of every pixel of a mask, in the order of the mask (n)."""
    rows, columns = _lines_of(mask)
    places: Places = (rows[:, None] * MAP_SIDE + columns[None, :])[mask]
    return places
