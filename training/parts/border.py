"""The background as the border of a photo tells it, by the code of the classifier itself."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.background import backdrop_of
from services.classifier.color.photo import photo_of, space_of
from training.parts.photos import Pixels

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_STRETCH: Final = np.array([1, 1.5, 1.5], np.float32)


def oklab(pixels: Pixels) -> Floats:
    """Convert sRGB bytes to OKLab, to 6 bits a channel; colors lie along the last axis."""
    return np.asarray(space_of(pixels) / _STRETCH, np.float32)


def border_features(pixels: Pixels) -> tuple[Mask, Floats]:
    """Tell foreground by the border (height, width), and each pixel's distance to the nearest border color."""
    backdrop = backdrop_of(photo_of(pixels))
    return backdrop.foreground, backdrop.distance
