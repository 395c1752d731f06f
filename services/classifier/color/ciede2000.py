"""The color difference CIEDE2000 (CIE 142:2001, in the form of Sharma, Wu and Dalal 2005)."""

from typing import Final

import numpy as np

from services.classifier.color.oklab import Floats

_TWENTY_FIVE_TO_THE_SEVENTH: Final = 25.0**7


def ciede2000(first: Floats, second: Floats) -> Floats:
    """Tell how different two L*a*b* colors look; they lie along the last axis and broadcast.

    1 is about the smallest difference that can be seen side by side. Source: Sharma et al. 2005, equations 2 to 22.
    """
    lightness_1, chroma_1, hue_1 = _adjusted(first, _chroma_factor(first, second))
    lightness_2, chroma_2, hue_2 = _adjusted(second, _chroma_factor(first, second))
    hue_mean, hue_step = _hues(hue_1, hue_2, chroma_1 * chroma_2)
    lightness_mean, chroma_mean = (lightness_1 + lightness_2) / 2, (chroma_1 + chroma_2) / 2
    lightness = (lightness_2 - lightness_1) / _lightness_weight(lightness_mean)
    chroma = (chroma_2 - chroma_1) / (1 + 0.045 * chroma_mean)
    hue = 2 * np.sqrt(chroma_1 * chroma_2) * np.sin(np.radians(hue_step) / 2)
    hue = hue / (1 + 0.015 * chroma_mean * _hue_weight(hue_mean))
    rotation = _rotation(hue_mean, chroma_mean)
    squared: Floats = lightness**2 + chroma**2 + hue**2 + rotation * chroma * hue
    return np.sqrt(np.maximum(squared, 0.0))


def _chroma_factor(first: Floats, second: Floats) -> Floats:
    mean = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    factor: Floats = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + _TWENTY_FIVE_TO_THE_SEVENTH))
    return factor


def _adjusted(lab: Floats, factor: Floats) -> tuple[Floats, Floats, Floats]:
    """Stretch a* and give lightness, chroma and hue in degrees."""
    a = lab[..., 1] * factor
    hue = np.degrees(np.arctan2(lab[..., 2], a)) % 360.0
    return lab[..., 0], np.hypot(a, lab[..., 2]), hue


def _hues(hue_1: Floats, hue_2: Floats, chroma_product: Floats) -> tuple[Floats, Floats]:
    """Give the mean hue and the step from the first to the second hue, in degrees."""
    step = hue_2 - hue_1
    far = np.abs(step) > 180.0
    total = hue_1 + hue_2
    mean = np.where(far, np.where(total < 360.0, total + 360.0, total - 360.0), total) / 2
    step = np.where(far, step - 360.0 * np.sign(step), step)
    gray = chroma_product == 0.0
    return np.where(gray, total, mean), np.where(gray, 0.0, step)


def _lightness_weight(mean: Floats) -> Floats:
    weight: Floats = 1 + 0.015 * (mean - 50) ** 2 / np.sqrt(20 + (mean - 50) ** 2)
    return weight


def _hue_weight(hue: Floats) -> Floats:
    weight: Floats = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    return weight


def _rotation(hue: Floats, chroma: Floats) -> Floats:
    angle = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    strength = 2 * np.sqrt(chroma**7 / (chroma**7 + _TWENTY_FIVE_TO_THE_SEVENTH))
    rotation: Floats = -np.sin(np.radians(2 * angle)) * strength
    return rotation
