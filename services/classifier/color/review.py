"""How sure an answer is, and why a person should look at it."""

from typing import Final

import numpy as np

from services.classifier.color.analysis import ColorCast, LabelVerdict, ReviewReason
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats

LOW_CONFIDENCE: Final = 0.6
_STRONG_CAST: Final = 0.03


def confidence_of(probabilities: Floats, model: Model) -> float:
    """Give the probability that the family is right, from the probabilities of the families (12)."""
    return float(1.0 / (1.0 + np.exp(-(confidence_features(probabilities) @ model.confidence))))


def confidence_features(probabilities: Floats) -> Floats:
    """Describe how clearly one family leads."""
    second, first = np.sort(probabilities)[-2:]
    return np.array([np.log((first + 0.01) / (1.01 - first)), np.log(first / (second + 0.01)), 1.0])


def reasons_for(
    confidence: float, label: LabelVerdict | None, cast: ColorCast | None, *, found: bool
) -> tuple[ReviewReason, ...]:
    """List why a person should look at the answer."""
    reasons: dict[ReviewReason, bool] = {
        "low_confidence": confidence < LOW_CONFIDENCE,
        "label_disagrees": label is not None and label.verdict == "disagree",
        "product_not_found": not found,
        "color_cast": cast is not None and cast.strength >= _STRONG_CAST,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)
