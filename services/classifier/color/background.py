"""What lies behind the product: the colors of the frame's border, and what is connected to it."""

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.flood import connected_to_border, eroded
from services.classifier.color.oklab import Floats
from services.classifier.color.photo import Bytes, Mask, Photo, Singles

Number = TypeVar("Number", np.uint8, np.float32)

NO_MODE_DISTANCE: Final = 1.0
"""Distance of every pixel to the background where the border has no common color."""
_RING: Final = 2
_CELL: Final = 0.03
_INLIER: Final = 0.045
_TOLERANCE: Final = 0.05
_WHITE_TOLERANCE: Final = 0.035
_WHITE: Final = 0.97
_HOLE: Final = 0.02
_MOST_MODES: Final = 3


@dataclass(frozen=True, eq=False)
class Backdrop:
    """Border colors (modes, 3) as (L, 1.5a, 1.5b) and as sRGB, the fullest first, and what is not background."""

    modes: Singles
    srgb: Floats
    explained: float
    distance: Singles
    foreground: Mask


def backdrop_of(photo: Photo) -> Backdrop:
    """Find the background of a photo and what stands before it."""
    if photo.cut_out:
        distance = np.where(photo.opaque, np.float32(NO_MODE_DISTANCE), np.float32(0.0))
        return Backdrop(np.empty((0, 3), np.float32), np.empty((0, 3)), 1.0, distance, photo.opaque)
    ring = _ring(photo.space)
    modes, mode_of = _modes(ring)
    srgb = _mean_srgb(_ring(photo.rgb), mode_of, len(modes))
    explained = float((mode_of >= 0).mean())
    distances = [np.sqrt(((photo.space - mode) ** 2).sum(axis=-1)) for mode in modes]
    return Backdrop(modes, srgb, explained, _nearest(distances, photo.shape), _foreground(photo, modes, distances))


def _ring(pixels: NDArray[Number]) -> NDArray[Number]:
    """Take the outermost pixels, each once, as (n, 3)."""
    height, width = pixels.shape[:2]
    rows, columns = min(_RING, (height + 1) // 2), min(_RING, (width + 1) // 2)
    parts = [pixels[:rows], pixels[max(rows, height - rows) :]]
    inner = pixels[rows : max(rows, height - rows)]
    parts += [inner[:, :columns], inner[:, max(columns, width - columns) :]]
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def _modes(ring: Singles) -> tuple[Singles, NDArray[np.intp]]:
    """Find up to three colors that explain the ring, and which of them each pixel has (-1 for none)."""
    modes, mode_of = list[Singles](), np.full(len(ring), -1)
    left = np.arange(len(ring))
    while len(modes) < _MOST_MODES and len(left) >= 0.1 * len(ring):
        near = ((ring[left] - _fullest(ring[left])) ** 2).sum(axis=-1) < _INLIER**2
        if near.sum() < 0.12 * len(ring):
            break
        mode_of[left[near]] = len(modes)
        modes.append(ring[left[near]].mean(axis=0))
        left = left[~near]
    return np.stack(modes) if modes else np.empty((0, 3), np.float32), mode_of


def _mean_srgb(ring: Bytes, mode_of: NDArray[np.intp], count: int) -> Floats:
    """Give the exact mean of the ring's pixels of each mode, in [0, 1]."""
    means = [ring[mode_of == mode].mean(axis=0) / 255.0 for mode in range(count)]
    return np.stack(means) if means else np.empty((0, 3))


def _fullest(colors: Singles) -> Singles:
    """Give the mean of the fullest cell, moved once to the mean of what is near it."""
    cells = (np.floor(colors / _CELL).astype(np.int64) + 64) @ np.array([1, 128, 128 * 128])
    _, cell_of, counts = np.unique(cells, return_inverse=True, return_counts=True)
    center = colors[cell_of == counts.argmax()].mean(axis=0)
    near = ((colors - center) ** 2).sum(axis=-1) < _INLIER**2
    moved: Singles = colors[near].mean(axis=0) if near.any() else center
    return moved


def _nearest(distances: list[Singles], shape: tuple[int, int]) -> Singles:
    if not distances:
        return np.full(shape, NO_MODE_DISTANCE, dtype=np.float32)
    nearest: Singles = np.minimum.reduce(distances)
    return nearest


def _foreground(photo: Photo, modes: Singles, distances: list[Singles]) -> Mask:
    if not distances:
        return np.ones(photo.shape, dtype=np.bool_)
    alike = np.zeros(photo.shape, dtype=np.bool_)
    for mode, distance in zip(modes, distances, strict=True):
        alike |= distance < (_WHITE_TOLERANCE if mode[0] > _WHITE else _TOLERANCE)
    foreground = ~connected_to_border(alike)
    holes = foreground & (distances[0] < _HOLE)
    if holes.sum() < 0.35 * foreground.sum():
        foreground &= ~holes
    return foreground


def central_ellipse(shape: tuple[int, int]) -> Mask:
    """Give the middle of the frame, 38 % of it, where no product was found."""
    height, width = shape
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    inside: Mask = (y[:, None] ** 2 + x[None, :] ** 2) <= 0.38 / np.pi
    return inside if inside.any() else np.ones(shape, dtype=np.bool_)


def without_edge(mask: Mask) -> Mask:
    """Take away the mixed pixels of the outline, unless little would be left."""
    inner = eroded(mask)
    return inner if inner.sum() >= 0.3 * mask.sum() else mask
