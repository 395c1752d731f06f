"""The twelve color families: of a whole product by its histogram, and of a single color by its learned name."""

from typing import Final

import numpy as np

from services.classifier.color.groups import GROUPS, Group, Kind
from services.classifier.color.histogram import Histogram
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats

_GROUP_SCALE: Final = 0.3
_WORD_SCALE: Final = 1.2
_FLOOR: Final = 0.03
NAMED_ALIKE: Final[tuple[tuple[frozenset[Group], float], ...]] = (
    (frozenset({"top", "bottom", "dress"}), 1.0),
    (frozenset({"shoes"}), 0.5),
    (frozenset({"eyewear"}), 0.5),
    (frozenset({"watch"}), 0.5),
)
"""Groups that have words of their own for what their colors are called, and how freely they are learned."""


def features_of(histogram: Histogram, kind: Kind, model: Model) -> Floats:
    """Describe a product: the weight near each color center, its kind, and how its colors are called (last 12)."""
    near = np.bincount(
        model.neighbors[histogram.cells].ravel(),
        weights=(model.nearness[histogram.cells] * histogram.weight[:, None]).ravel(),
        minlength=model.centers,
    )
    colors = np.log(histogram.weight @ model.called[histogram.cells] + _FLOOR)
    alike = np.outer([scale * (kind.group in groups) for groups, scale in NAMED_ALIKE], colors).ravel()
    return np.concatenate([np.sqrt(near), 2.0 * near, _described(kind, model), _lit(histogram, model), alike, colors])


def _lit(histogram: Histogram, model: Model) -> Floats:
    """Tell how the lighter half of a product is called: people see past shade."""
    order = np.argsort(histogram.oklab[:, 0], kind="stable")
    lighter = order[np.cumsum(histogram.weight[order]) >= 0.5]
    weight = histogram.weight[lighter]
    lit: Floats = np.log(weight @ model.called[histogram.cells[lighter]] / weight.sum() + _FLOOR)
    return lit


def _described(kind: Kind, model: Model) -> Floats:
    of_group = _GROUP_SCALE * np.eye(len(GROUPS))[GROUPS.index(kind.group)]
    return np.concatenate([of_group, [_WORD_SCALE * (word in kind.words) for word in model.words]])


def family_probabilities(features: Floats, model: Model) -> Floats:
    """Give the probability of each family (12)."""
    return softmax(features @ model.family_weights + model.family_bias)


def softmax(logits: Floats) -> Floats:
    """Turn logits along the last axis into probabilities."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities
