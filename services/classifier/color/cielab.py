"""CIE L*a*b* under D65, the space in which color differences are told to people."""

from typing import Final

import numpy as np

from services.classifier.color.oklab import Floats, linear_from_srgb, srgb_from_linear

_XYZ_FROM_LINEAR: Final = np.array(
    [
        [0.4123907993, 0.3575843394, 0.1804807884],
        [0.2126390059, 0.7151686788, 0.0721923154],
        [0.0193308187, 0.1191947798, 0.9505321522],
    ]
)
_WHITE: Final = _XYZ_FROM_LINEAR.sum(axis=1)
_LINEAR_FROM_XYZ: Final = np.linalg.inv(_XYZ_FROM_LINEAR)
_EPSILON: Final = 216 / 24389
_KAPPA: Final = 24389 / 27


def lab_from_srgb(srgb: Floats) -> Floats:
    """Convert gamma-encoded sRGB in [0, 1] to CIE L*a*b* (D65); colors lie along the last axis.

    L* is in [0, 100]; a* and b* are roughly in [-110, 110] for colors inside sRGB.
    Source: IEC 61966-2-1:1999 for the decoding, CIE 15:2004 section 8.2.1 for L*a*b*.
    """
    ratio = linear_from_srgb(srgb) @ _XYZ_FROM_LINEAR.T / _WHITE
    f = np.where(ratio > _EPSILON, np.cbrt(ratio), (_KAPPA * ratio + 16.0) / 116.0)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def srgb_from_lab(lab: Floats) -> Floats:
    """Convert CIE L*a*b* (D65) to gamma-encoded sRGB, clipped to [0, 1]."""
    y = (lab[..., 0] + 16.0) / 116.0
    f = np.stack([y + lab[..., 1] / 500.0, y, y - lab[..., 2] / 200.0], axis=-1)
    ratio = np.where(f**3 > _EPSILON, f**3, (116.0 * f - 16.0) / _KAPPA)
    return srgb_from_linear(ratio * _WHITE @ _LINEAR_FROM_XYZ.T)
