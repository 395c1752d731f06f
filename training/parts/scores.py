"""How well weights tell the parts of synthetic photos that they were not trained on."""

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.parts import PARTS
from training.parts.fitting import batch
from training.parts.mixtures import Samples
from training.parts.network import logits

_AT_ONCE = 50


def overlaps(weights: dict[str, NDArray[np.float32]], samples: Samples) -> dict[str, float]:
    """Intersection over union of each part, over all pixels."""
    counts = np.zeros((len(PARTS), len(PARTS)), np.int64)
    for start in range(0, len(samples.labels), _AT_ONCE):
        chosen = batch(samples, np.arange(start, min(start + _AT_ONCE, len(samples.labels))))
        told = np.asarray(logits(weights, chosen.seen, chosen.positions)).argmax(0)
        counts += np.bincount(chosen.labels.ravel() * 6 + told.ravel(), minlength=36).reshape(6, 6)
    shared = np.diag(counts)
    return dict(zip(PARTS, (shared / (counts.sum(0) + counts.sum(1) - shared)).tolist(), strict=True))
