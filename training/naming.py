"""The classifier that names the family of a product from its histogram."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.analysis import FAMILIES
from services.classifier.color.families import softmax
from services.classifier.color.oklab import Floats
from training.catalogs import Example
from training.regression import fitted

EYE: Final = 0.3
"""How much more than sellers' labels teach it counts how people call the colors that are there."""
STIFFNESS: Final = 2.5
"""Cost of weights: half their squares against the photos' errors."""
ALSO: Final = 0.3
"""Share of a label that is spread over all families that are acceptable for the photo."""


def shares_of(examples: Sequence[Example]) -> Floats:
    """Give how likely each family is by the label of each photo (n, 12)."""
    acceptable = np.array([[family in one.acceptable for family in FAMILIES] for one in examples], dtype=np.float64)
    first = np.array([[family == one.family for family in FAMILIES] for one in examples])
    return (1 - ALSO) * first + ALSO * acceptable / acceptable.sum(axis=1, keepdims=True)


def fit(features: Floats, shares: Floats, trust: Floats) -> tuple[Floats, Floats]:
    """Learn weights (features, 12) and bias (12) from photos that each count as much as they are trusted (n)."""
    weights, bias = fitted(features, shares, trust, STIFFNESS, np.zeros_like(shares))
    weights[-len(FAMILIES) :] += EYE * np.eye(len(FAMILIES))
    return weights, bias


def cross_validated(features: Floats, shares: Floats, trust: Floats, folds: NDArray[np.intp]) -> Floats:
    """Give the probabilities (n, 12) that a classifier gives to photos which it did not learn from."""
    probabilities = np.zeros((len(features), len(FAMILIES)))
    for fold in np.unique(folds):
        held_out = folds == fold
        weights, bias = fit(features[~held_out], shares[~held_out], trust[~held_out])
        probabilities[held_out] = softmax(features[held_out] @ weights + bias)
    return probabilities
