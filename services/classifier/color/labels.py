"""The verdict about a customer's label: whether it names a color that the product shows."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.classifier.color.analysis import FAMILIES, LabelVerdict, PaletteEntry, PrimaryColor, Verdict
from services.classifier.color.hexes import hex_of, rgb_from_hex
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats

_MAIN_SHARE: Final = 0.2
_AGREES: Final = 0.6
_DISAGREES: Final = 0.4


@dataclass(frozen=True, eq=False)
class Comparison:
    """A label beside a product: CIEDE2000 to each color of the palette, and how likely (12) each family is its name."""

    label: str
    distances: Floats
    called: Floats


def verdict_of(
    compared: Comparison, primary: PrimaryColor, palette: tuple[PaletteEntry, ...], probabilities: Floats, model: Model
) -> LabelVerdict:
    """Judge a label by the palette and by the probabilities (12) of the product's families."""
    distances = compared.distances
    best = int(distances.argmin())
    match = match_probability(label_features(compared, palette, probabilities), model)
    return LabelVerdict(
        hex=hex_of(rgb_from_hex(compared.label)),
        family=FAMILIES[int(compared.called.argmax())],
        verdict=_verdict(match),
        match_probability=round(match, 4),
        delta_e_2000=round(float(distances[best]), 2),
        nearest=palette[best].hex,
        suggested_hex=primary.hex,
        suggested_name=primary.name,
    )


def label_features(compared: Comparison, palette: tuple[PaletteEntry, ...], probabilities: Floats) -> Floats:
    """Describe a label: difference to the main entries and to any, and how well its family fits the product."""
    distances = compared.distances
    main = [d for d, entry in zip(distances, palette, strict=True) if entry.share >= _MAIN_SHARE] or [distances[0]]
    fit = np.log(float(compared.called @ probabilities) + 0.01)
    return np.array([min(main) / 10.0, float(distances.min()) / 10.0, fit, 1.0])


def match_probability(features: Floats, model: Model) -> float:
    """Give the probability that the label is right."""
    return float(1.0 / (1.0 + np.exp(-(features @ model.label))))


def _verdict(match: float) -> Verdict:
    if match >= _AGREES:
        return "agree"
    return "near" if match > _DISAGREES else "disagree"
