"""How sure an answer is, and why a person should look at it."""

from typing import Final

import numpy as np

from services.classifier.color.analysis import ColorCast, LabelVerdict, ReviewReason
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats

LOW_CONFIDENCE: Final = 0.6
_STRONG_CAST: Final = 0.03


def confidence_of(features: Floats, model: Model) -> float:
    """Give the probability that the family is right."""
    return float(1.0 / (1.0 + np.exp(-(features @ model.confidence))))


def confidence_features(probabilities: Floats) -> Floats:
    """Describe how clearly a family leads (12)."""
    first = float(probabilities.max())
    return np.array([np.log((first + 0.01) / (1.01 - first)), 1.0])


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
