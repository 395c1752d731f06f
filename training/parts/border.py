"""The background as the border of a photo tells it: what the part network is given beside the colors."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.parts.photos import Pixels

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FAR: Final = 1.0


def oklab(pixels: Pixels) -> Floats:
    """Convert sRGB bytes to OKLab; colors lie along the last axis. Source: Ottosson 2020."""
    cone = np.cbrt(_LINEAR[pixels] @ _CONES)
    return np.asarray(cone @ _OPPONENTS, np.float32)


_BYTES = np.arange(256) / 255
_LINEAR: Final = np.where(_BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4).astype(np.float32)
_CONES: Final = np.array(
    [[0.4122214708, 0.2119034982, 0.0883024619], [0.5363325363, 0.6806995451, 0.2817188376],
     [0.0514459929, 0.1073969566, 0.6299787005]], np.float32)  # fmt: skip
_OPPONENTS: Final = np.array(
    [[0.2104542553, 1.9779984951, 0.0259040371], [0.7936177850, -2.4285922050, 0.7827717662],
     [-0.0040720468, 0.4505937099, -0.8086757660]], np.float32)  # fmt: skip
_STRETCH: Final = np.array([1, 1.5, 1.5], np.float32)


def border_features(pixels: Pixels) -> tuple[Mask, Floats]:
    """Tell foreground by the border (height, width), and each pixel's distance to the nearest border mode."""
    colors = oklab(pixels) * _STRETCH
    modes = _modes(_ring(colors))
    if not len(modes):
        return np.ones(pixels.shape[:2], np.bool_), np.full(pixels.shape[:2], _FAR, np.float32)
    distances = np.stack([np.sqrt(((colors - mode) ** 2).sum(-1)) for mode in modes])
    reach = np.where(modes[:, 0] > 0.97, 0.035, 0.05)[:, None, None]
    candidate = np.asarray((distances < reach).any(0))
    foreground = ~_touching_border(candidate)
    holes = foreground & (distances[0] < 0.02)
    if holes.sum() < 0.35 * foreground.sum():
        foreground &= ~holes
    return foreground, np.asarray(distances.min(0), np.float32)


def _ring(colors: Floats) -> Floats:
    inner = np.zeros(colors.shape[:2], np.bool_)
    inner[2:-2, 2:-2] = True
    return np.asarray(colors[~inner])


def _modes(ring: Floats) -> Floats:
    modes: list[Floats] = []
    left, total = ring, len(ring)
    while len(modes) < 3 and len(left) >= 0.1 * total:
        mode = _fullest(left)
        near = np.sqrt(((left - mode) ** 2).sum(-1)) < 0.045
        if near.sum() < 0.12 * total:
            break
        modes.append(left[near].mean(0))
        left = left[~near]
    return np.array(modes, np.float32).reshape(-1, 3)


def _fullest(colors: Floats) -> Floats:
    cells = np.floor(colors / 0.03).astype(np.int64)
    keys = (cells[:, 0] * 1000 + cells[:, 1]) * 1000 + cells[:, 2]
    values, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    mean = colors[inverse == counts.argmax()].mean(0) if len(values) else colors[0]
    inliers = np.sqrt(((colors - mean) ** 2).sum(-1)) < 0.045
    return np.asarray(colors[inliers].mean(0))


def _touching_border(candidate: Mask) -> Mask:
    labels, _ = ndimage.label(candidate)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    kept = np.zeros(labels.max() + 1, np.bool_)
    kept[edge] = True
    kept[0] = False
    return np.asarray(kept[labels])
