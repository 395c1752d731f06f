"""How well weights tell the parts of synthetic photos that they were not trained on, by the code that is shipped."""

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.parts import CHANNELS, GRID, PARTS, SIDE, Floats, prepared, probabilities
from training.parts.mixtures import Samples, restored

_PARTS = len(PARTS)


def overlaps(weights: dict[str, NDArray[np.float32]], samples: Samples) -> dict[str, float]:
    """Intersection over union of each part, over all pixels, with weights rounded as they are shipped."""
    rounded = prepared({name: value.astype(np.float16).astype(np.float32) for name, value in weights.items()})
    counts = np.zeros((_PARTS, _PARTS), np.int64)
    for inputs, labels, aspect in zip(samples.inputs, samples.labels, samples.aspects, strict=True):
        told = probabilities(rounded, _planes(restored(inputs)), float(aspect)).argmax(0)
        counts += np.bincount(labels.ravel() * _PARTS + told, minlength=_PARTS**2).reshape(_PARTS, _PARTS)
    shared = np.diag(counts)
    return dict(zip(PARTS, (shared / (counts.sum(0) + counts.sum(1) - shared)).tolist(), strict=True))


def _planes(seen: Floats) -> Floats:
    """Undo `by_place`, to (5, 64, 64)."""
    block = SIDE // GRID
    return seen.reshape(CHANNELS, block, block, GRID, GRID).transpose(0, 3, 1, 4, 2).reshape(CHANNELS, SIDE, SIDE)
