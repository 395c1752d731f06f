"""Hexadecimal colors: read from labels, written into answers."""

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.oklab import Floats, srgb_from_oklab

Bytes = NDArray[np.uint8]


def srgb_from_hex(text: str) -> Floats:
    """Read "#RGB" or "#RRGGBB" in any case as sRGB in [0, 1].

    >>> srgb_from_hex("#f00").tolist()
    [1.0, 0.0, 0.0]
    """
    return np.array(rgb_from_hex(text), dtype=np.float64) / 255.0


def rgb_from_hex(text: str) -> tuple[int, int, int]:
    """Read "#RGB" or "#RRGGBB" in any case as three integers."""
    digits = text.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def hex_of(rgb: tuple[int, int, int]) -> str:
    """Write three integers as "#RRGGBB".

    >>> hex_of((247, 44, 58))
    '#F72C3A'
    """
    return "#{:02X}{:02X}{:02X}".format(*rgb)


def rgb_from_oklab(oklab: Floats) -> tuple[int, int, int]:
    """Give the nearest 8-bit sRGB color."""
    return rgb_from_srgb(srgb_from_oklab(oklab))


def rgb8_from_oklab(oklab: Floats) -> Bytes:
    """Give the nearest 8-bit sRGB colors, along the last axis."""
    return np.rint(srgb_from_oklab(oklab) * 255.0).astype(np.uint8)


def rgb_from_srgb(srgb: Floats) -> tuple[int, int, int]:
    """Give the nearest 8-bit color of sRGB in [0, 1]."""
    red, green, blue = np.rint(srgb * 255.0).astype(int).tolist()
    return red, green, blue
