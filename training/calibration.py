"""The small logistic models beside the classifier: confidence, label verdict, several colors, metal."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.classifier.color.analyzing import Reading, entries_of, main_entry, named_beside
from services.classifier.color.labels import label_features
from services.classifier.color.metallic import metallic_features
from services.classifier.color.oklab import Floats
from services.classifier.color.pattern import multicolor_features
from services.classifier.color.review import confidence_features
from training.catalogs import Example

_STRONGER: Final = 10.0


def logistic(features: Floats, truth: NDArray[np.bool_], trust: Floats | None = None) -> Floats:
    """Fit a logistic model; the last feature is always 1 and carries the bias."""
    regression = LogisticRegression(C=_STRONGER, max_iter=500).fit(features[:, :-1], truth, sample_weight=trust)
    return np.concatenate([regression.coef_[0], regression.intercept_])


def confidence(probabilities: Floats, right: NDArray[np.bool_], trust: Floats) -> Floats:
    """Learn how often the first family is right, from the probabilities (n, 12) of photos held out."""
    return logistic(np.stack([confidence_features(one) for one in probabilities]), right, trust)


def multicolor(examples: Sequence[Example], readings: Sequence[Reading]) -> Floats:
    """Learn from the photos that people called multicolored or not."""
    told = [(r, e.multicolor) for e, r in zip(examples, readings, strict=True) if e.multicolor is not None]
    features = [multicolor_features(reading.palette, reading.names, reading.probabilities) for reading, _ in told]
    return logistic(np.stack(features), np.array([answer for _, answer in told]))


def metallic(examples: Sequence[Example], readings: Sequence[Reading]) -> Floats:
    """Learn from the photos whose sellers named a metal as the color."""
    told = [(e, r) for e, r in zip(examples, readings, strict=True) if e.metal is not None]
    features = [metallic_features(reading.histogram, example.kind.group) for example, reading in told]
    return logistic(np.stack(features), np.array([example.metal for example, _ in told]))


def label(examples: Sequence[Example], readings: Sequence[Reading]) -> Floats:
    """Learn from each photo's own labels, and from the labels of photos of families that do not fit it."""
    told = [(e, r) for e, r in zip(examples, readings, strict=True) if e.hexes]
    rows, truth = [], []
    for index, (example, reading) in enumerate(told):
        around = [other for other, _ in told[index:] + told[:index]]
        wrong = [other.hexes[0] for other in around if not set(other.acceptable) & set(example.acceptable)][:8]
        rows += [described(text, reading) for text in (*example.hexes, *wrong)]
        truth += [True] * len(example.hexes) + [False] * len(wrong)
    return _balanced_logistic(np.stack(rows), np.array(truth))


def described(text: str, reading: Reading) -> Floats:
    """Give the features of a label of a product."""
    palette = entries_of(reading, main_entry(reading))
    _, _, compared = named_beside(reading.rgb, text)
    return label_features(compared, palette, reading.probabilities)


def _balanced_logistic(features: Floats, truth: NDArray[np.bool_]) -> Floats:
    regression = LogisticRegression(C=_STRONGER, max_iter=500, class_weight="balanced")
    regression.fit(features[:, :-1], truth)
    return np.concatenate([regression.coef_[0], regression.intercept_])
