"""Soft light on a backdrop: the studio's gradient, a vignette, the shadow under the product."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.background import Backdrop
from services.classifier.color.flood import connected_to_border
from services.classifier.color.photo import Mask, Photo, Singles

_SMOOTH: Final = 0.02
_SAME_TINT: Final = 0.03
_DARKER: Final = 0.25
_BRIGHTER: Final = 0.12
_SOFT_OUTLINE: Final = 0.3
_LEAST_KEPT: Final = 0.1
_LEAST_SHARE: Final = 0.03


def without_gradient(photo: Photo, backdrop: Backdrop) -> Mask:
    """Take from the foreground what the backdrop's tint runs into without an edge.

    Only where much of the foreground's outline is soft, which the outline of a product is not, and something is left.
    """
    foreground = backdrop.foreground
    if photo.cut_out or not len(backdrop.modes):
        return foreground
    outline = np.flatnonzero(_outline(foreground))
    if np.count_nonzero(_steps_at(photo.space, outline) < _SMOOTH) < _SOFT_OUTLINE * (len(outline) or 1):
        return foreground
    smooth = _steps(photo.space) < _SMOOTH
    sharp = foreground & ~connected_to_border(~foreground | (_tinted_alike(photo, backdrop) & smooth))
    kept, least = np.count_nonzero(sharp), _LEAST_KEPT * np.count_nonzero(foreground)
    return sharp if kept >= least and kept >= _LEAST_SHARE * sharp.size else foreground


def _steps(space: Singles) -> Singles:
    """Give for each pixel the largest change of a coordinate to one of its four neighbors."""
    planes = space.transpose(2, 0, 1)
    largest = np.zeros(space.shape[:2], dtype=np.float32)
    down = np.abs(planes[:, 1:] - planes[:, :-1]).max(axis=0)
    across = np.abs(planes[:, :, 1:] - planes[:, :, :-1]).max(axis=0)
    for half, step in ((largest[1:], down), (largest[:-1], down), (largest[:, 1:], across), (largest[:, :-1], across)):
        np.maximum(half, step, out=half)
    return largest


def _steps_at(space: Singles, places: NDArray[np.intp]) -> Singles:
    """Give the same for some pixels (n), numbered row by row."""
    height, width = space.shape[:2]
    rows, columns = np.divmod(places, width)
    around = [
        np.maximum(rows - 1, 0) * width + columns,
        np.minimum(rows + 1, height - 1) * width + columns,
        rows * width + np.maximum(columns - 1, 0),
        rows * width + np.minimum(columns + 1, width - 1),
    ]
    planes = space.transpose(2, 0, 1).reshape(3, -1)
    steps: Singles = np.abs(planes.take(around, axis=1) - planes.take(places, axis=1)[:, None]).max(axis=(0, 1))
    return steps


def _outline(mask: Mask) -> Mask:
    """Keep the pixels of a mask that touch what is outside it; the edge of the frame does not count."""
    outside = ~mask
    touched = np.zeros_like(mask)
    touched[1:] |= outside[:-1]
    touched[:-1] |= outside[1:]
    touched[:, 1:] |= outside[:, :-1]
    touched[:, :-1] |= outside[:, 1:]
    return touched & mask


def _tinted_alike(photo: Photo, backdrop: Backdrop) -> Mask:
    """Find the pixels that have the tint of a mode and not too different a lightness."""
    alike = np.zeros(photo.shape, dtype=np.bool_)
    lightness, green_red, blue_yellow = photo.space.transpose(2, 0, 1)
    for mode in backdrop.modes:
        tint = (np.abs(green_red - mode[1]) < _SAME_TINT) & (np.abs(blue_yellow - mode[2]) < _SAME_TINT)
        apart = lightness - mode[0]
        alike |= tint & (apart > -_DARKER) & (apart < _BRIGHTER)
    return alike
