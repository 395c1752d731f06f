"""Which part of the photo each pixel shows, by a small network of our own; `training/parts` makes its weights."""

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]
Weights = dict[str, Floats]
Number = TypeVar("Number", bound=np.generic)

SIDE: Final = 64
"""The network sees every photo stretched to a square of this side."""
BLOCK: Final = 4
"""Each place of its grid sees a square of this side."""
GRID: Final = SIDE // BLOCK
CHANNELS: Final = 5
PARTS: Final = ("background", "torso", "lower body", "feet", "head and skin", "other")
DILATIONS: Final = (1, 2, 4, 2, 1)
POOLED_AFTER: Final = 2
"""After this residual block every place learns what the whole photo shows."""
FARTHEST: Final = 0.4
"""Distances from the border's colors are told apart up to here."""

_PLACES: Final = GRID * GRID
_SCALES: Final = np.array([2 / 255, 2 / 255, 2 / 255, 1, 4], np.float32).reshape(-1, 1, 1)
_OFFSETS: Final = np.array([1.2, 1.2, 1.2, 0.5, 0], np.float32).reshape(-1, 1, 1)


@dataclass(frozen=True, eq=False)
class PartMap:
    """How likely each pixel of a photo shows each of `PARTS`: probabilities (6, n), and which of them it has.

    seen_at (height, width) numbers the n places; what is not asked for is not spread over the pixels.
    """

    told: Floats
    seen_at: NDArray[np.intp]

    def likely(self, *names: str) -> Floats:
        """Tell how likely each pixel (height, width) shows one of some parts."""
        rows = [self.told[PARTS.index(name)] for name in names]
        total: Floats = rows[0] if len(rows) == 1 else np.add.reduce(rows)
        return total.take(self.seen_at)


def part_map(pixels_rgb: Pixels, border_mask: Mask, mode_distance: Floats) -> PartMap:
    """Tell for each pixel which of `PARTS` it shows.

    `border_mask` (height, width) is true on what the border method holds for foreground; `mode_distance` (height,
    width) is the distance in (L, 1.5a, 1.5b) of OKLab to the nearest color of the border.
    """
    height, width = border_mask.shape
    told = probabilities(_shipped(), network_inputs(pixels_rgb, border_mask, mode_distance), height / width)
    return PartMap(told, _seen_at(height, width))


def network_inputs(pixels_rgb: Pixels, border_mask: Mask, mode_distance: Floats) -> Floats:
    """Average a photo to the square that the network sees, (5, 64, 64): red, green, blue, foreground, distance."""
    height, width = border_mask.shape
    planes = np.empty((CHANNELS, height, width), np.float32)
    planes[:3] = pixels_rgb.transpose(2, 0, 1)
    planes[3] = border_mask
    np.minimum(mode_distance, np.float32(FARTHEST), out=planes[4])
    narrow = (planes.reshape(-1, width) @ _averaging(width).T).reshape(CHANNELS, height, SIDE)
    seen: Floats = _averaging(height) @ narrow
    seen *= _SCALES
    seen -= _OFFSETS
    return seen


def probabilities(weights: Weights, inputs: Floats, aspect: float) -> Floats:
    """Run the network on `network_inputs`, with the height of the photo over its width.

    Gives (6, 4096): the pixels of a place first, as `by_place` orders them.
    """
    seen = by_place(inputs).reshape(CHANNELS, -1)
    places = np.concatenate([seen.reshape(-1, _PLACES), positions(aspect)])
    features = _relu(_dense(weights, "stem", places.T))
    for block, dilation in enumerate(DILATIONS):
        _look_around(weights, features, block, dilation)
        if block == POOLED_AFTER:
            features += _whole(weights, features)
    handed: Floats = weights["place"].T @ features.T
    handed += weights["place_bias"][:, np.newaxis]
    hidden = weights["hidden"] @ np.concatenate([handed.reshape(-1, seen.shape[1]), seen, _ones(seen.shape[1])])
    told: Floats = weights["part"].T @ _relu(hidden)
    told += weights["part_bias"][:, np.newaxis]
    return _softmax(told)


@cache
def _ones(count: int) -> Floats:
    return np.ones((1, count), np.float32)


def _dense(weights: Weights, name: str, values: Floats) -> Floats:
    """Take a step of the network for each row of values (rows, channels)."""
    told: Floats = values @ weights[name]
    told += weights[f"{name}_bias"]
    return told


def by_place(planes: NDArray[Number]) -> NDArray[Number]:
    """Order planes (n, 64, 64) by the pixel of a place and the place, (n, 16, 256)."""
    blocks = planes.reshape(-1, GRID, BLOCK, GRID, BLOCK).transpose(0, 2, 4, 1, 3)
    return blocks.reshape(-1, BLOCK**2, _PLACES)


def positions(aspect: float) -> Floats:
    """Where each place of the grid lies and the shape of the photo: 2x, 2y, 2|x|, log aspect; (4, 256)."""
    return np.concatenate([_coordinates(), np.full((1, _PLACES), np.log(aspect), np.float32)])


@cache
def _coordinates() -> Floats:
    y, x = np.mgrid[:GRID, :GRID].reshape(2, -1) * (2 / (GRID - 1)) - 1
    return np.stack([2 * x, 2 * y, 2 * np.abs(x)]).astype(np.float32)


def _look_around(weights: Weights, features: Floats, block: int, dilation: int) -> None:
    """Add what lies around each place at the given distance: 64 channels to 24, 3x3 neighbors, back to 64."""
    narrow = np.zeros((_PLACES + 1, weights[f"narrow{block}"].shape[1]), np.float32)
    narrow[:-1] = _relu(_dense(weights, f"narrow{block}", features))
    neighbors = narrow.take(_neighbors(dilation), axis=0).reshape(_PLACES, -1)
    features += _dense(weights, f"wide{block}", _relu(_dense(weights, f"around{block}", neighbors)))
    _relu(features)


@cache
def _neighbors(dilation: int) -> NDArray[np.intp]:
    """Number the 3x3 neighbors of each place, (places, 9); outside is the number after the last place."""
    size = GRID + 2 * dilation
    number = np.full((size, size), _PLACES)
    number[dilation:-dilation, dilation:-dilation] = np.arange(_PLACES).reshape(GRID, GRID)
    steps = (0, dilation, 2 * dilation)
    return np.stack([number[y : y + GRID, x : x + GRID].ravel() for y in steps for x in steps], axis=1)


def _whole(weights: Weights, features: Floats) -> Floats:
    """What the whole photo shows, to be added to each place; (1, 64)."""
    pooled = np.concatenate([features.mean(0), features.max(0)])[np.newaxis]
    return _dense(weights, "spread", _relu(_dense(weights, "pool", pooled)))


def _relu(values: Floats) -> Floats:
    return np.maximum(values, 0, out=values)


def _softmax(logits: Floats) -> Floats:
    """Turn logits (parts, pixels) into probabilities."""
    logits -= logits.max(0)
    np.exp(logits, out=logits)
    logits /= logits.sum(0)
    return logits


@lru_cache(maxsize=256)
def _averaging(length: int) -> Floats:
    """Weights that average `length` pixels to `SIDE` by the share that each covers, (64, length)."""
    edges = np.linspace(0, length, SIDE + 1)
    first, last = edges[:-1, np.newaxis], edges[1:, np.newaxis]
    pixel = np.arange(length)
    overlap = np.minimum(last, pixel + 1) - np.maximum(first, pixel)
    return (overlap.clip(0) * (SIDE / length)).astype(np.float32)


@lru_cache(maxsize=64)
def _seen_at(height: int, width: int) -> NDArray[np.intp]:
    """Give for each pixel of a photo its place among those of `probabilities`, (height, width)."""
    order = by_place(np.arange(SIDE * SIDE).reshape(1, SIDE, SIDE)).ravel().argsort().reshape(SIDE, SIDE)
    rows, columns = ((np.arange(length) * 2 + 1) * SIDE // (2 * length) for length in (height, width))
    return np.asarray(order[rows[:, np.newaxis], columns])


@cache
def _shipped() -> Weights:
    """Load the weights that lie beside this module."""
    with files(__package__).joinpath("parts.npz").open("rb") as file, np.load(file) as kept:
        return prepared({name: kept[name].astype(np.float32) for name in kept.files})


def prepared(stored: Weights) -> Weights:
    """Lay out each step as a matrix from its input to its output.

    The two steps that meet in the hidden units of a pixel are joined, and their bias is one more input.
    """
    weights = {name: np.ascontiguousarray(value.T) for name, value in stored.items()}
    weights["hidden"] = np.concatenate([stored["joint"], stored["pixel"], stored["joint_bias"][:, np.newaxis]], axis=1)
    return weights
