"""Which photos are held out together: look-alikes never teach about each other."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.ciede2000 import ciede2000
from services.classifier.color.cielab import lab_from_srgb
from services.classifier.color.hexes import srgb_from_hex
from training.catalogs import Example

FOLDS: Final = 5
_SAME_COLOR: Final = 4.0


def folds_of(examples: Sequence[Example]) -> NDArray[np.intp]:
    """Give each photo its fold; photos with labeled colors stay with their look-alikes, the rest is drawn."""
    folds = np.random.default_rng(0).permutation(np.arange(len(examples)) % FOLDS)
    known = [index for index, example in enumerate(examples) if example.hexes]
    folds[known] = _spread(_clusters([examples[index] for index in known]))
    return folds


def _clusters(examples: Sequence[Example]) -> NDArray[np.intp]:
    """Number the sets of photos of one kind whose labeled colors form a chain of small differences."""
    lab = lab_from_srgb(np.array([srgb_from_hex(example.hexes[0]) for example in examples]).reshape(-1, 3))
    near = ciede2000(lab[:, None], lab) < _SAME_COLOR
    cluster = np.arange(len(examples))
    for second in range(len(examples)):
        for first in range(second):
            if near[first, second] and _alike(examples[first], examples[second]):
                cluster[cluster == cluster[second]] = cluster[first]
    return cluster


def _alike(first: Example, second: Example) -> bool:
    same_group = first.kind.group == second.kind.group
    return same_group and (first.kind.group != "other" or first.product_type == second.product_type)


def _spread(cluster: NDArray[np.intp]) -> NDArray[np.intp]:
    """Put each cluster into the fold that has least so far, the largest first."""
    numbers, sizes = np.unique(cluster, return_counts=True)
    folds, load = np.zeros(len(cluster), dtype=np.intp), np.zeros(FOLDS, dtype=np.intp)
    for place in np.argsort(-sizes, kind="stable"):
        fold = int(load.argmin())
        folds[cluster == numbers[place]] = fold
        load[fold] += sizes[place]
    return folds
