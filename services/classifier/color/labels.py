"""The verdict about a customer's label: whether it names a color that the product shows."""

from typing import Final

import numpy as np

from services.classifier.color.analysis import FAMILIES, LabelVerdict, PaletteEntry, PrimaryColor, Verdict
from services.classifier.color.ciede2000 import ciede2000
from services.classifier.color.cielab import lab_from_srgb
from services.classifier.color.hexes import hex_of, rgb_from_hex
from services.classifier.color.model import Model
from services.classifier.color.names import commerce_names, likeness_of
from services.classifier.color.oklab import Floats

_MAIN_SHARE: Final = 0.2
_AGREES: Final = 0.6
_DISAGREES: Final = 0.4


def verdict_of(
    label: str, primary: PrimaryColor, palette: tuple[PaletteEntry, ...], probabilities: Floats, model: Model
) -> LabelVerdict:
    """Compare a label with the palette and with the probabilities (12) of the product's families."""
    rgb = rgb_from_hex(label)
    distances, called = compared(label, palette)
    best = int(distances.argmin())
    match = match_probability(label_features(distances, palette, called, probabilities), model)
    return LabelVerdict(
        hex=hex_of(rgb),
        family=FAMILIES[int(called.argmax())],
        verdict=_verdict(match),
        match_probability=round(match, 4),
        delta_e_2000=round(float(distances[best]), 2),
        nearest=palette[best].hex,
        suggested_hex=primary.hex,
        suggested_name=primary.name,
    )


def compared(label: str, palette: tuple[PaletteEntry, ...]) -> tuple[Floats, Floats]:
    """Give the CIEDE2000 difference of a label to each entry, and how likely (12) each family is its name."""
    lab = lab_from_srgb(np.array([rgb_from_hex(hex_) for hex_ in (label, *(entry.hex for entry in palette))]) / 255.0)
    names = commerce_names().lab
    apart = ciede2000(np.concatenate([names, lab[1:]]), lab[0])
    return apart[len(names) :], likeness_of(apart[None, : len(names)])[0]


def label_features(
    distances: Floats, palette: tuple[PaletteEntry, ...], called: Floats, probabilities: Floats
) -> Floats:
    """Describe a label: difference to the main entries and to any, and how well its family fits the product."""
    main = [d for d, entry in zip(distances, palette, strict=True) if entry.share >= _MAIN_SHARE] or [distances[0]]
    fit = np.log(float(called @ probabilities) + 0.01)
    return np.array([min(main) / 10.0, float(distances.min()) / 10.0, fit, 1.0])


def match_probability(features: Floats, model: Model) -> float:
    """Give the probability that the label is right."""
    return float(1.0 / (1.0 + np.exp(-(features @ model.label))))


def _verdict(match: float) -> Verdict:
    if match >= _AGREES:
        return "agree"
    return "near" if match > _DISAGREES else "disagree"
