"""A hint that the product is of metal: the colors of metals, with the highlights and shadows of a polished surface."""

from typing import Final

import numpy as np

from services.classifier.color.analysis import Metal
from services.classifier.color.groups import GROUPS, Group
from services.classifier.color.histogram import Histogram
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats, oklch_from_oklab

_LIKELY: Final = 0.5
_NEUTRAL: Final = 0.035
_COPPER_HUE: Final = 65.0


def metallic_features(histogram: Histogram, group: Group) -> Floats:
    """Describe the spread of lightness and the tints of a product."""
    weight, lightness = histogram.weight, histogram.oklab[:, 0]
    chroma = np.hypot(histogram.oklab[:, 1], histogram.oklab[:, 2])
    mean, tint = float(weight @ lightness), float(weight @ chroma)
    spread = float(np.sqrt(weight @ (lightness - mean) ** 2))
    golden = float(weight @ ((histogram.oklab[:, 2] > 0.03) & (chroma > 0.04)))
    dark, bright = float(weight @ (lightness < 0.35)), float(weight @ (lightness > 0.85))
    numbers = [mean, tint * 10, spread * 5, golden, golden * golden, dark, bright, tint * tint * 50, mean * mean]
    return np.concatenate([numbers, np.eye(len(GROUPS))[GROUPS.index(group)], [1.0]])


def metal_of(features: Floats, primary: Floats, model: Model) -> Metal | None:
    """Name the metal that a product with this primary color (OKLab) seems to be of."""
    if 1.0 / (1.0 + np.exp(-(features @ model.metallic))) < _LIKELY:
        return None
    _, chroma, hue = oklch_from_oklab(primary).tolist()
    if chroma < _NEUTRAL:
        return "silver"
    if 0 <= hue <= 120:
        return "copper" if hue < _COPPER_HUE else "gold"
    return None
