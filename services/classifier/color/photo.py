"""One decoded image, prepared once for all that is asked of it."""

from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.oklab import oklab_from_srgb

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Singles = NDArray[np.float32]
Pixel = TypeVar("Pixel", np.uint8, np.bool_)

ANALYSIS_SIDE: Final = 112
"""Pixels of the longest side that the analysis is made for; from 96 to 224 it answers the same."""
_MOST_PIXELS: Final = 40_000
_OPAQUE: Final = 128
_CUT_OUT_SHARE: Final = 0.02
_STRETCH: Final = np.array([1.0, 1.5, 1.5])
_BITS: Final = 6


class FullyTransparentError(ValueError):
    """There is nothing to see: no pixel is opaque."""


@dataclass(frozen=True, eq=False)
class Photo:
    """Pixels (height, width), each with its place in the space in which distances are taken.

    space (height, width, 3) lies in memory coordinate by coordinate: sums over the three are then cheap.
    """

    rgb: Bytes
    opaque: Mask
    cut_out: bool
    space: Singles

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.opaque.shape[0], self.opaque.shape[1]


def photo_of(pixels: Bytes) -> Photo:
    """Prepare pixels (height, width, 3 or 4), upright sRGB; raises `FullyTransparentError`."""
    kept = thinned(pixels)
    rgb = np.ascontiguousarray(kept[..., :3])
    opaque = _opaque(kept)
    seen = np.count_nonzero(opaque)
    if not seen:
        raise FullyTransparentError("no pixel of the image is opaque")
    cut_out = bool(seen / opaque.size < 1.0 - _CUT_OUT_SHARE)
    return Photo(rgb=rgb, opaque=opaque, cut_out=cut_out, space=space_of(rgb))


def thinned(pixels: NDArray[Pixel]) -> NDArray[Pixel]:
    """Take every n-th pixel of what is far larger than the analysis needs."""
    step = 1
    while pixels.shape[0] * pixels.shape[1] > _MOST_PIXELS * step * step:
        step += 1
    return pixels[::step, ::step]


def _opaque(pixels: Bytes) -> Mask:
    if pixels.shape[2] == 3:
        return np.ones(pixels.shape[:2], dtype=np.bool_)
    return pixels[..., 3] >= _OPAQUE


def space_of(rgb: Bytes) -> Singles:
    """Give (L, 1.5a, 1.5b) of 8-bit sRGB, looked up at 6 bits a channel."""
    index = ((rgb >> (8 - _BITS)).astype(np.float32) @ _PLACE_VALUES).astype(np.intp)
    return _space_table().take(index, axis=1).transpose(1, 2, 0)


def cell_centers(bits: int) -> NDArray[np.float64]:
    """Give the sRGB centers in [0, 1] of all cells of that many bits a channel, in the order of their index."""
    steps = (np.arange(1 << bits) + 0.5) / (1 << bits)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)


@cache
def _space_table() -> Singles:
    table = (oklab_from_srgb(cell_centers(_BITS)) * _STRETCH).astype(np.float32)
    return np.ascontiguousarray(table.T)


_PLACE_VALUES: Final = np.array([1 << 2 * _BITS, 1 << _BITS, 1], dtype=np.float32)
"""A product with these numbers a cell: whole numbers this small are exact in single precision."""
