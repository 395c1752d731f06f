"""The learned numbers of the color analysis, as `python -m training` wrote them."""

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.oklab import Floats
from services.classifier.color.photo import Singles

MODEL_FILE: Final = "color.npz"


@dataclass(frozen=True, eq=False)
class Model:
    """Arrays of the model file; G groups, C color centers, 12 families.

    neighbors (32768, 4) the centers near each cell of 5 bits a channel, nearness (32768, 4) how near, summing to 1;
    called (32768, 12) the probability that the color of a cell is called by each family;
    words of product types that say something about the color;
    maps (G, 16, 16) how much each place of the box of a product counts;
    family_weights (features, 12) and family_bias (12) of the classifier of products;
    confidence, label, multicolor and metallic: weights of small logistic models, the bias last.
    """

    neighbors: NDArray[np.uint16]
    nearness: Singles
    called: Singles
    words: tuple[str, ...]
    maps: Singles
    family_weights: Floats
    family_bias: Floats
    confidence: Floats
    label: Floats
    multicolor: Floats
    metallic: Floats

    @cached_property
    def centers(self) -> int:
        """How many color centers there are."""
        return int(self.neighbors.max()) + 1


@cache
def model() -> Model:
    """Load the model that is shipped with the package."""
    source = resources.files(__package__) / MODEL_FILE
    with source.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return model_from(dict(arrays))


def model_from(arrays: dict[str, NDArray[np.generic]]) -> Model:
    """Bring the compact arrays of a model file to the types that are computed with."""
    nearness, called = arrays["nearness"].astype(np.float32), arrays["called"].astype(np.float32)
    return Model(
        neighbors=arrays["neighbors"].astype(np.uint16),
        nearness=nearness / nearness.sum(axis=1, keepdims=True),
        called=called / called.sum(axis=1, keepdims=True),
        words=tuple(arrays["words"].astype(str).tolist()),
        maps=arrays["maps"].astype(np.float32),
        **{name: arrays[name].astype(np.float64) for name in _DOUBLES},
    )


_DOUBLES: Final = ("family_weights", "family_bias", "confidence", "label", "multicolor", "metallic")
