"""Which part of the photo each pixel shows, by a small network of our own; `training/parts` makes its weights."""

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
_MIDDLE: Final = 0.6


def part_probabilities(pixels_rgb: Pixels, border_mask: Mask, mode_distance: Floats) -> Floats:
    """Tell for each pixel how likely each of `PARTS` is, (height, width, 6), summing to one.

    `border_mask` (height, width) is true on what the border method holds for foreground; `mode_distance` (height,
    width) is the distance in (L, 1.5a, 1.5b) of OKLab to the nearest color of the border.
    """
    height, width = border_mask.shape
    told = probabilities(_shipped(), network_inputs(pixels_rgb, border_mask, mode_distance), height / width)
    return told.take(_seen_at(height, width), axis=1).transpose(1, 2, 0)


def network_inputs(pixels_rgb: Pixels, border_mask: Mask, mode_distance: Floats) -> Floats:
    """Average a photo to the square that the network sees, (5, 64, 64): red, green, blue, foreground, distance."""
    height, width = border_mask.shape
    planes = np.empty((CHANNELS, height, width), np.float32)
    np.multiply(pixels_rgb.transpose(2, 0, 1), np.float32(2 / 255), out=planes[:3])
    planes[:3] -= 2 * _MIDDLE
    np.subtract(border_mask, np.float32(0.5), out=planes[3])
    np.minimum(mode_distance, np.float32(FARTHEST), out=planes[4])
    planes[4] *= 4
    narrow = (planes.reshape(-1, width) @ _averaging(width).T).reshape(CHANNELS, height, SIDE)
    return np.asarray(_averaging(height) @ narrow)


def probabilities(weights: Weights, inputs: Floats, aspect: float) -> Floats:
    """Run the network on `network_inputs`, with the height of the photo over its width.

    Gives (6, 4096): the pixels of a place first, as `by_place` orders them.
    """
    seen = by_place(inputs).reshape(CHANNELS, -1)
    places = np.concatenate([seen.reshape(-1, _PLACES), positions(aspect)])
    features = _relu(weights["stem"] @ places + weights["stem_bias"])
    for block, dilation in enumerate(DILATIONS):
        features = _residual(weights, features, block, dilation)
        if block == POOLED_AFTER:
            features += _whole(weights, features)
    handed = (weights["place"] @ features + weights["place_bias"]).reshape(-1, seen.shape[1])
    hidden = weights["joint_and_pixel"] @ np.concatenate([handed, seen])
    hidden += weights["joint_bias"]
    return _softmax(weights["part"] @ _relu(hidden) + weights["part_bias"])


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


def _residual(weights: Weights, features: Floats, block: int, dilation: int) -> Floats:
    """Look around each place at the given distance: 64 channels to 24, 3x3 neighbors, back to 64."""
    narrow = _relu(weights[f"narrow{block}"] @ features + weights[f"narrow{block}_bias"])
    around = _relu(weights[f"around{block}"] @ _neighbors(narrow, dilation) + weights[f"around{block}_bias"])
    wide = weights[f"wide{block}"] @ around
    wide += weights[f"wide{block}_bias"]
    wide += features
    return _relu(wide)


def _neighbors(narrow: Floats, dilation: int) -> Floats:
    """Lay the 3x3 neighbors of each place below each other, (9 x channels, places); outside is zero."""
    channels = len(narrow)
    padded = np.zeros((channels, GRID + 2 * dilation, GRID + 2 * dilation), np.float32)
    padded[:, dilation:-dilation, dilation:-dilation] = narrow.reshape(channels, GRID, GRID)
    steps = (0, dilation, 2 * dilation)
    return np.concatenate([padded[:, y : y + GRID, x : x + GRID] for y in steps for x in steps]).reshape(-1, _PLACES)


def _whole(weights: Weights, features: Floats) -> Floats:
    """What the whole photo shows, to be added to each place; (64, 1)."""
    pooled = np.concatenate([features.mean(1), features.max(1)])[:, np.newaxis]
    return np.asarray(
        weights["spread"] @ _relu(weights["pool"] @ pooled + weights["pool_bias"]) + weights["spread_bias"]
    )


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
    """Turn biases into columns and join the two steps that meet in the hidden units of a pixel."""
    weights = {name: value[:, np.newaxis] if name.endswith("_bias") else value for name, value in stored.items()}
    weights["joint_and_pixel"] = np.concatenate([stored["joint"], stored["pixel"]], axis=1)
    return weights
