"""The color difference CIEDE2000 (CIE 142:2001, in the form of Sharma, Wu and Dalal 2005)."""

from typing import Final

import numpy as np

from services.classifier.color.oklab import Floats

_TWENTY_FIVE_TO_THE_SEVENTH: Final = 25.0**7
_TURN: Final = 2.0 * np.pi
_DEGREE: Final = np.pi / 180.0


def ciede2000(first: Floats, second: Floats) -> Floats:
    """Tell how different two L*a*b* colors look; they lie along the last axis and broadcast.

    1 is about the smallest difference that can be seen side by side. Source: Sharma et al. 2005, equations 2 to 22;
    hues are in radians.
    """
    factor = _chroma_factor(first, second)
    chroma_1, hue_1 = _adjusted(first, factor)
    chroma_2, hue_2 = _adjusted(second, factor)
    chroma_product, chroma_mean = chroma_1 * chroma_2, (chroma_1 + chroma_2) / 2
    hue_mean, hue_step = _hues(hue_1, hue_2, chroma_product)
    lightness = (second[..., 0] - first[..., 0]) / _lightness_weight((first[..., 0] + second[..., 0]) / 2)
    chroma = (chroma_2 - chroma_1) / (1 + 0.045 * chroma_mean)
    hue = 2 * np.sqrt(chroma_product) * np.sin(hue_step / 2)
    hue /= 1 + 0.015 * chroma_mean * _hue_weight(hue_mean)
    rotation = _rotation(hue_mean, chroma_mean)
    squared: Floats = lightness**2 + chroma**2 + hue**2 + rotation * chroma * hue
    return np.sqrt(np.maximum(squared, 0.0))


def _chroma_factor(first: Floats, second: Floats) -> Floats:
    mean = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    return 1.5 - 0.5 * _saturation(mean)


def _saturation(chroma: Floats) -> Floats:
    """Rise from 0 for grays to 1 for vivid colors, by the seventh power of the chroma."""
    cube = chroma * chroma * chroma
    seventh = cube * cube * chroma
    saturation: Floats = np.sqrt(seventh / (seventh + _TWENTY_FIVE_TO_THE_SEVENTH))
    return saturation


def _adjusted(lab: Floats, factor: Floats) -> tuple[Floats, Floats]:
    """Stretch a* and give chroma and hue, from 0 to a turn."""
    a, b = lab[..., 1] * factor, lab[..., 2]
    hue = np.arctan2(b, a)
    return np.hypot(a, b), np.where(hue < 0.0, hue + _TURN, hue)


def _hues(hue_1: Floats, hue_2: Floats, chroma_product: Floats) -> tuple[Floats, Floats]:
    """Give the mean hue and the step from the first to the second hue."""
    step = hue_2 - hue_1
    far = np.abs(step) > np.pi
    total = hue_1 + hue_2
    mean = np.where(far, np.where(total < _TURN, total + _TURN, total - _TURN), total) / 2
    step = np.where(far, step - np.copysign(_TURN, step), step)
    gray = chroma_product == 0.0
    return np.where(gray, total, mean), np.where(gray, 0.0, step)


def _lightness_weight(mean: Floats) -> Floats:
    squared = (mean - 50) ** 2
    weight: Floats = 1 + 0.015 * squared / np.sqrt(20 + squared)
    return weight


def _hue_weight(hue: Floats) -> Floats:
    weight: Floats = (
        1
        - 0.17 * np.cos(hue - 30 * _DEGREE)
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + 6 * _DEGREE)
        - 0.20 * np.cos(4 * hue - 63 * _DEGREE)
    )
    return weight


def _rotation(hue: Floats, chroma: Floats) -> Floats:
    angle = (30 * _DEGREE) * np.exp(-(((hue - 275 * _DEGREE) / (25 * _DEGREE)) ** 2))
    rotation: Floats = -2 * np.sin(2 * angle) * _saturation(chroma)
    return rotation
