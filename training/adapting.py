"""A shop's own catalog moves the shipped classifier only as far as its photos ask for."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import KFold

from services.classifier.color.analysis import FAMILIES
from services.classifier.color.families import softmax
from services.classifier.color.oklab import Floats

STIFFNESS: Final = 1.0
"""Cost of moving the weights: a photo's error against a squared step of a weight."""
FOLDS: Final = 5


def adapted(features: Floats, family: NDArray[np.intp], weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """Move weights (features, 12) and bias (12) towards the labels of photos (n, features)."""
    offset = features @ weights + bias
    wide = np.hstack([features, np.ones((len(features), 1))])
    truth = np.eye(len(FAMILIES))[family]

    def cost(flat: Floats) -> tuple[float, Floats]:
        step = flat.reshape(wide.shape[1], len(FAMILIES))
        told = softmax(offset + wide @ step)
        loss = -np.log((told * truth).sum(axis=1) + 1e-12).sum() + STIFFNESS / 2 * (step**2).sum()
        return float(loss), (wide.T @ (told - truth) + STIFFNESS * step).ravel()

    found = minimize(
        cost, np.zeros(wide.shape[1] * len(FAMILIES)), jac=True, method="L-BFGS-B", options={"maxiter": 200}
    )
    step = found.x.reshape(wide.shape[1], len(FAMILIES))
    return weights + step[:-1], bias + step[-1]


def cross_validated(features: Floats, family: NDArray[np.intp], weights: Floats, bias: Floats) -> Floats:
    """Give the probabilities (n, 12) of photos that the classifier was not moved by."""
    told = np.zeros((len(features), len(FAMILIES)))
    for known, held_out in KFold(min(FOLDS, len(features)), shuffle=True, random_state=0).split(features):
        moved, moved_bias = adapted(features[known], family[known], weights, bias)
        told[held_out] = softmax(features[held_out] @ moved + moved_bias)
    return told
