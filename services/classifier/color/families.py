"""The twelve color families: of a whole product by its histogram, and of a single color by its learned name."""

from typing import Final, cast, get_args

import numpy as np

from services.classifier.color.analysis import Family
from services.classifier.color.groups import GROUPS, Group
from services.classifier.color.histogram import Histogram, cells_of
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats
from services.classifier.color.photo import Bytes

FAMILIES: Final = cast("tuple[Family, ...]", get_args(Family))
_GROUP_SCALE: Final = 0.3


def features_of(histogram: Histogram, group: Group, model: Model) -> Floats:
    """Describe a product by the square roots of the weight near each color center, and by its group."""
    near = np.bincount(
        model.neighbors[histogram.cells].ravel(),
        weights=(model.nearness[histogram.cells] * histogram.weight[:, None]).ravel(),
        minlength=len(model.names),
    )
    return np.concatenate([np.sqrt(near), _GROUP_SCALE * np.eye(len(GROUPS))[GROUPS.index(group)]])


def family_probabilities(features: Floats, model: Model) -> Floats:
    """Give the probability of each family (12)."""
    return softmax(features @ model.family_weights + model.family_bias)


def name_probabilities(rgb: Bytes, model: Model) -> Floats:
    """Give the probability (n, 12) that each of some single colors (n, 3) is called by each family."""
    cells = cells_of(rgb)
    near = model.nearness[cells].astype(np.float64)
    names: Floats = np.einsum("nk,nkf->nf", near, model.names[model.neighbors[cells]])
    return names


def softmax(logits: Floats) -> Floats:
    """Turn logits along the last axis into probabilities."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities
