"""What lies behind the product: the colors of the frame's border, and what is connected to it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.flood import connected_to_border, eroded
from services.classifier.color.oklab import Floats
from services.classifier.color.photo import Bytes, Mask, Photo, Singles

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
    ring = _ring(*photo.shape)
    modes, mode_of = _modes(photo.space.transpose(2, 0, 1).reshape(3, -1).take(ring, axis=1))
    srgb = _mean_srgb(photo.rgb.reshape(-1, 3).take(ring, axis=0), mode_of, len(modes))
    explained = float((mode_of >= 0).mean())
    distances = [_distance(photo.space, mode) for mode in modes]
    return Backdrop(modes, srgb, explained, _nearest(distances, photo.shape), _foreground(photo, modes, distances))


@lru_cache(maxsize=64)
def _ring(height: int, width: int) -> NDArray[np.intp]:
    """Number the outermost pixels of a frame, each once."""
    number = np.arange(height * width).reshape(height, width)
    rows, columns = min(_RING, (height + 1) // 2), min(_RING, (width + 1) // 2)
    parts = [number[:rows], number[max(rows, height - rows) :]]
    inner = number[rows : max(rows, height - rows)]
    parts += [inner[:, :columns], inner[:, max(columns, width - columns) :]]
    return np.concatenate([part.ravel() for part in parts])


def _modes(ring: Singles) -> tuple[Singles, NDArray[np.intp]]:
    """Find up to three colors that explain the ring (3, n), and which of them each pixel has (-1 for none)."""
    count = ring.shape[1]
    modes, mode_of = list[Singles](), np.full(count, -1)
    left, cells = np.arange(count), _cells(ring)
    while len(modes) < _MOST_MODES and len(left) >= 0.1 * count:
        near = _squared(ring, _fullest(ring, cells)) < _INLIER**2
        if np.count_nonzero(near) < 0.12 * count:
            break
        mode_of[left[near]] = len(modes)
        modes.append(_mean(ring, near))
        ring, cells, left = ring.compress(~near, axis=1), cells[~near], left[~near]
    return np.stack(modes) if modes else np.empty((0, 3), np.float32), mode_of


def _cells(colors: Singles) -> NDArray[np.int32]:
    """Number the cell of each color (3, n); far apart where colors are."""
    steps = np.floor(colors / _CELL).astype(np.int32) + 64
    numbers: NDArray[np.int32] = steps[0] + (steps[1] << 7) + (steps[2] << 14)
    return numbers


def _squared(colors: Singles, center: Singles) -> Singles:
    """Give the squared distance of each color (3, ...) to a center (3)."""
    apart = colors - center.reshape(-1, *[1] * (colors.ndim - 1))
    apart *= apart
    squared: Singles = apart[0]
    squared += apart[1]
    squared += apart[2]
    return squared


def _distance(space: Singles, mode: Singles) -> Singles:
    squared = _squared(space.transpose(2, 0, 1), mode)
    return np.sqrt(squared, out=squared)


def _mean_srgb(ring: Bytes, mode_of: NDArray[np.intp], count: int) -> Floats:
    """Give the exact mean of the ring's pixels of each mode, in [0, 1]."""
    chosen = (mode_of == np.arange(count)[:, None]).astype(np.float64)
    means: Floats = chosen @ ring.astype(np.float64) / chosen.sum(axis=1, keepdims=True) / 255.0
    return means


def _fullest(colors: Singles, cells: NDArray[np.int32]) -> Singles:
    """Give the mean of the fullest cell of colors (3, n), moved once to the mean of what is near it."""
    ordered = np.sort(cells)
    first = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    bounds = np.concatenate([[0], first, [len(ordered)]])
    center = _mean(colors, cells == ordered[bounds[(bounds[1:] - bounds[:-1]).argmax()]])
    near = _squared(colors, center) < _INLIER**2
    return _mean(colors, near) if near.any() else center


def _mean(colors: Singles, chosen: Mask) -> Singles:
    """Give the mean of the chosen ones, at least one, of colors (3, n)."""
    sums = colors.astype(np.float64) @ chosen.astype(np.float64)
    return (sums / np.count_nonzero(chosen)).astype(np.float32)


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
    if np.count_nonzero(holes) < 0.35 * np.count_nonzero(foreground):
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
    return inner if np.count_nonzero(inner) >= 0.3 * np.count_nonzero(mask) else mask
