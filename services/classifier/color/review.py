"""How sure an answer is, and why a person should look at it."""

from typing import Final

import numpy as np

from services.classifier.color.analysis import ColorCast, LabelVerdict, ReviewReason
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats

LOW_CONFIDENCE: Final = 0.6
_STRONG_CAST: Final = 0.03
_PALE: Final = (0.6, 0.9)
_NEARLY_NEUTRAL: Final = 0.03


def confidence_of(features: Floats, model: Model) -> float:
    """Give the probability that the family is right."""
    return float(1.0 / (1.0 + np.exp(-(features @ model.confidence))))


def confidence_features(probabilities: Floats, called: Floats, main: Floats) -> Floats:
    """Describe how clearly a family leads (12), how much of the product is called so (12), and whether that is hard.

    Hard to name is a main color (OKLab) between white, gray and beige.
    """
    first = int(probabilities.argmax())
    leads = np.log((probabilities[first] + 0.01) / (1.01 - probabilities[first]))
    pale = _PALE[0] < main[0] < _PALE[1] and np.hypot(main[1], main[2]) < _NEARLY_NEUTRAL
    return np.array([leads, np.log(called[first] + 0.03), float(pale), 1.0])


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
