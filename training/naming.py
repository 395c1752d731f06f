"""The classifier that names the family of a product from its histogram."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.classifier.color.analysis import FAMILIES
from services.classifier.color.families import softmax
from services.classifier.color.oklab import Floats

EYE: Final = 0.7
"""How much more than sellers' labels teach it counts how people call the colors that are there."""
REGULARIZATION: Final = 0.5


def fit(features: Floats, family: NDArray[np.intp], trust: Floats) -> tuple[Floats, Floats]:
    """Learn the weights (features, 12) and the bias (12) from photos that each count as much as they are trusted (n).

    A family without photos is never named.
    """
    regression = LogisticRegression(C=REGULARIZATION, max_iter=400, tol=1e-3)
    regression.fit(features, family, sample_weight=trust)
    weights = np.zeros((features.shape[1], len(FAMILIES)))
    bias = np.full(len(FAMILIES), -30.0)
    weights[:, regression.classes_] = regression.coef_.T
    bias[regression.classes_] = regression.intercept_
    weights[-len(FAMILIES) :] += EYE * np.eye(len(FAMILIES))
    return weights, bias


def cross_validated(features: Floats, family: NDArray[np.intp], trust: Floats, folds: NDArray[np.intp]) -> Floats:
    """Give the probabilities (n, 12) that a classifier gives to photos which it did not learn from."""
    probabilities = np.zeros((len(features), len(FAMILIES)))
    for fold in np.unique(folds):
        held_out = folds == fold
        weights, bias = fit(features[~held_out], family[~held_out], trust[~held_out])
        probabilities[held_out] = softmax(features[held_out] @ weights + bias)
    return probabilities
