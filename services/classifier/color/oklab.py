"""OKLab and OKLCH, and the way from sRGB to them and back (Ottosson 2020, bottosson.github.io/posts/oklab)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LMS_FROM_LINEAR: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB_FROM_ROOTS: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LINEAR_FROM_LMS: Final = np.linalg.inv(_LMS_FROM_LINEAR)
_ROOTS_FROM_OKLAB: Final = np.linalg.inv(_OKLAB_FROM_ROOTS)


def linear_from_srgb(srgb: Floats) -> Floats:
    """Decode gamma-encoded sRGB in [0, 1] to linear light (IEC 61966-2-1:1999)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(linear: Floats) -> Floats:
    """Encode linear light in [0, 1] as sRGB (IEC 61966-2-1:1999); what lies outside is clipped."""
    light = np.clip(linear, 0.0, 1.0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def oklab_from_linear(linear: Floats) -> Floats:
    """Convert linear light to OKLab; colors lie along the last axis, L in [0, 1]."""
    oklab: Floats = np.cbrt(linear @ _LMS_FROM_LINEAR.T) @ _OKLAB_FROM_ROOTS.T
    return oklab


def linear_from_oklab(oklab: Floats) -> Floats:
    """Convert OKLab to linear light, which lies outside [0, 1] for colors outside sRGB."""
    roots = oklab @ _ROOTS_FROM_OKLAB.T
    return roots**3 @ _LINEAR_FROM_LMS.T


def oklab_from_srgb(srgb: Floats) -> Floats:
    """Convert gamma-encoded sRGB in [0, 1] to OKLab.

    >>> oklab_from_srgb(np.ones(3)).round(3).tolist()[0]
    1.0
    """
    return oklab_from_linear(linear_from_srgb(srgb))


def srgb_from_oklab(oklab: Floats) -> Floats:
    """Convert OKLab to gamma-encoded sRGB, clipped to [0, 1]."""
    return srgb_from_linear(linear_from_oklab(oklab))


def oklch_from_oklab(oklab: Floats) -> Floats:
    """Convert OKLab to lightness, chroma and hue in degrees [0, 360)."""
    chroma = np.hypot(oklab[..., 1], oklab[..., 2])
    hue = np.degrees(np.arctan2(oklab[..., 2], oklab[..., 1])) % 360.0
    return np.stack([oklab[..., 0], chroma, hue % 360.0], axis=-1)


def oklab_from_oklch(oklch: Floats) -> Floats:
    """Convert lightness, chroma and hue in degrees to OKLab."""
    angle = np.radians(oklch[..., 2])
    return np.stack([oklch[..., 0], oklch[..., 1] * np.cos(angle), oklch[..., 1] * np.sin(angle)], axis=-1)
