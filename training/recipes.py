"""The two ways to a model: from the development sets, and from a shop's own catalog."""

from pathlib import Path

import numpy as np

from services.classifier.color.families import FAMILIES
from services.classifier.color.oklab import Floats
from training import calibration, catalogs, naming
from training.building import Arrays, Lesson, colors, features_for, readings_for, unfinished
from training.catalogs import Example
from training.seeing import see_all


def from_development_sets(data: Path, work: Path, processes: int) -> Arrays:
    """Learn names from the simple product photos, and how far to trust them from all sets."""
    small = _lesson(catalogs.fashion_small(data), work, processes)
    mixed = _lesson(catalogs.mixed(data), work, processes)
    arrays = colors(small)
    features = features_for(small, unfinished(arrays))
    arrays["family_weights"], arrays["family_bias"] = naming.fit(features, small.family)
    model = unfinished(arrays)
    held_out = naming.cross_validated(features, small.family)
    print(f"fashion-small, cross-validated: {(held_out.argmax(axis=1) == small.family).mean():.4f}")
    readings = readings_for(mixed, model)
    right = np.array([_is_right(r.probabilities, e) for e, r in zip(mixed.examples, readings, strict=True)])
    arrays["confidence"] = calibration.confidence(np.stack([r.probabilities for r in readings]), right)
    arrays["multicolor"] = calibration.multicolor(mixed.examples, readings)
    arrays["label"] = calibration.label(mixed.examples, readings, model)
    arrays["metallic"] = calibration.metallic(small.examples, readings_for(small, model))
    return arrays


def from_own_catalog(labels: Path, images: Path | None, work: Path, processes: int) -> Arrays:
    """Learn from one's own photos; what they cannot teach is kept from the shipped model."""
    raise NotImplementedError


def _lesson(examples: list[Example], work: Path, processes: int) -> Lesson:
    return Lesson(examples, see_all(examples, work, processes))


def _is_right(probabilities: Floats, example: Example) -> bool:
    return FAMILIES[int(probabilities.argmax())] in example.acceptable
