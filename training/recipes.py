"""The two ways to a model: from the development sets, and from a shop's own catalog."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.analysis import FAMILIES
from services.classifier.color.families import softmax
from services.classifier.color.model import model_from
from services.classifier.color.oklab import Floats
from training import adapting, calibration, catalogs, naming
from training.building import Arrays, Lesson, colors, features_for, readings_for, unfinished
from training.catalogs import Example
from training.folds import folds_of
from training.held_out import write_held_out
from training.model_file import SHIPPED, read_model
from training.seeing import see_all

BY_EYE: Final = 6.0
"""Photos that were labeled by eye count this many times as much as those with a seller's label."""
SURE_BY_EYE: Final = 60.0
"""So much do they count where trust is learned: in all twice what the sellers' labels do, of which many are wrong."""
LEAST_FOR_CONFIDENCE: Final = 20
"""So many right and so many wrong answers teach how far to trust an answer."""


def from_development_sets(data: Path, work: Path, processes: int, answers: Path | None) -> Arrays:
    """Learn maps from the simple product photos, names from all three sets, and trust from photos held out.

    `answers` is where to write what is said of the photos held out.
    """
    small = _lesson(catalogs.fashion_small(data), work, processes)
    goods = _lesson(catalogs.electronics(data), work, processes)
    mixed = _lesson(catalogs.mixed(data), work, processes)
    arrays = colors(small)
    named = Lesson([*small.examples, *goods.examples, *mixed.examples], [*small.seen, *goods.seen, *mixed.seen])
    by_eye = np.array([bool(example.hexes) for example in named.examples])
    trust, shares = np.where(by_eye, BY_EYE, 1.0), naming.shares_of(named.examples)
    features = features_for(named, unfinished(arrays))
    held_out = naming.cross_validated(features, shares, trust, folds_of(named.examples))
    _report(held_out, named.examples)
    arrays["family_weights"], arrays["family_bias"] = naming.fit(features, shares, trust)
    sure = np.where(by_eye, SURE_BY_EYE, 1.0)
    arrays["confidence"] = calibration.confidence(held_out, are_right(held_out, named.examples), sure)
    judged = held_out[-len(mixed.examples) :]
    pairs = zip(readings_for(mixed, unfinished(arrays)), judged, strict=True)
    readings = [replace(reading, probabilities=probabilities) for reading, probabilities in pairs]
    arrays["multicolor"] = calibration.multicolor(mixed.examples, readings)
    arrays["label"] = calibration.label(mixed.examples, readings)
    arrays["metallic"] = calibration.metallic(small.examples, readings_for(small, unfinished(arrays)))
    if answers:
        write_held_out(named.examples, held_out, unfinished(arrays), answers)
    return arrays


def from_own_catalog(labels: Path, images: Path | None, work: Path, processes: int) -> Arrays:
    """Move the shipped classifier by one's own photos; what they cannot teach stays as it is. Raises `CatalogError`."""
    lesson = _lesson(catalogs.own_catalog(labels, images or labels.parent), work, processes)
    arrays = read_model(SHIPPED)
    shipped = model_from(arrays)
    features, shares = features_for(lesson, shipped), naming.shares_of(lesson.examples)
    before = softmax(features @ shipped.family_weights + shipped.family_bias)
    print(f"before: {are_right(before, lesson.examples).mean():.3f} of {len(features)} photos right")
    held_out = adapting.cross_validated(features, shares, shipped.family_weights, shipped.family_bias)
    right = are_right(held_out, lesson.examples)
    print(f"after, on photos not learned from: {right.mean():.3f}")
    moved = adapting.adapted(features, shares, shipped.family_weights, shipped.family_bias)
    arrays["family_weights"], arrays["family_bias"] = moved
    if min(right.sum(), (~right).sum()) >= LEAST_FOR_CONFIDENCE:
        arrays["confidence"] = calibration.confidence(held_out, right, np.ones(len(right)))
    return arrays


def _lesson(examples: list[Example], work: Path, processes: int) -> Lesson:
    return Lesson(examples, see_all(examples, work, processes))


def are_right(probabilities: Floats, examples: Sequence[Example]) -> NDArray[np.bool_]:
    """Tell for each photo (n) whether its most likely family is acceptable."""
    named = probabilities.argmax(axis=1).tolist()
    return np.array([FAMILIES[index] in example.acceptable for index, example in zip(named, examples, strict=True)])


def _report(probabilities: Floats, examples: Sequence[Example]) -> None:
    """Print the accuracy by set: acceptable, strict."""
    right = are_right(probabilities, examples)
    family = np.array([FAMILIES.index(example.family) for example in examples])
    exact = probabilities.argmax(axis=1) == family
    for dataset in sorted({example.dataset for example in examples}):
        of_set = np.array([example.dataset == dataset for example in examples])
        print(f"{dataset}: acceptable {right[of_set].mean():.3f}, strict {exact[of_set].mean():.3f}")
