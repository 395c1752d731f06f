"""Multinomial logistic regression on shares of families, which starts where another classifier ends."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.classifier.color.oklab import Floats

Singles = NDArray[np.float32]

_MOST_ROUNDS: Final = 400
_CURVATURE: Final = 0.06
"""About the mean of p (1 - p): with it the steps of all weights are of one size, and the search is short."""


def fitted(features: Floats, shares: Floats, trust: Floats, stiffness: float, start: Floats) -> tuple[Floats, Floats]:
    """Give weights (features, 12) and bias (12) that are to be added to the logits `start` (photos, 12).

    `shares` (photos, 12) is how likely each family is by a photo's label. Each photo's error counts by its trust
    (photos), against `stiffness` / 2 for the square of a weight.
    """
    wide = np.hstack([features, np.ones((len(features), 1))]).astype(np.float32)
    told, begun, weight = (values.astype(np.float32) for values in (shares, start, trust[:, None]))
    scale = np.sqrt(_CURVATURE * (weight * wide**2).sum(axis=0, dtype=np.float64)[:, None] + stiffness)

    def cost(flat: Floats) -> tuple[float, Floats]:
        step = flat.reshape(scale.shape[0], -1) / scale
        likely, logarithm = _likely(begun + wide @ step.astype(np.float32))
        loss = -(weight * told * logarithm).sum(dtype=np.float64) + stiffness / 2 * (step**2).sum()
        slope = wide.T @ (weight * (likely - told)) + stiffness * step
        return float(loss), (slope / scale).ravel()

    found = minimize(cost, np.zeros(scale.shape[0] * shares.shape[1]), jac=True, method="L-BFGS-B", options=_OPTIONS)
    step = found.x.reshape(scale.shape[0], -1) / scale
    return step[:-1], step[-1]


def _likely(logits: Singles) -> tuple[Singles, Singles]:
    """Give probabilities along the last axis and their logarithms."""
    lowered = logits - logits.max(axis=-1, keepdims=True)
    raised = np.exp(lowered)
    total = raised.sum(axis=-1, keepdims=True)
    return raised / total, lowered - np.log(total)


_OPTIONS: Final = {"maxiter": _MOST_ROUNDS, "maxcor": 15, "ftol": 1e-6, "gtol": 1e-3}
