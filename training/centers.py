"""The color centers of the histogram, and which of them are near each cell."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from services.classifier.color.histogram import BITS, CELLS, cells_of
from services.classifier.color.oklab import Floats, oklab_from_srgb
from services.classifier.color.photo import cell_centers
from training.seeing import Seen

COUNT: Final = 320
NEAREST: Final = 4
_SIGMA: Final = 0.02
_STRETCH: Final = np.array([1.0, 2.0, 2.0])


def learn_centers(seen: list[Seen]) -> Floats:
    """Place the centers (320, 3) in (L, 2a, 2b) where product colors are."""
    counts = np.sum([np.bincount(cells_of(one.rgb), minlength=CELLS) for one in seen], axis=0)
    occupied = np.flatnonzero(counts)
    means = MiniBatchKMeans(min(COUNT, len(occupied)), random_state=0, n_init=1, batch_size=2048, max_iter=60)
    means.fit(_places()[occupied], sample_weight=np.sqrt(counts[occupied]))
    centers: Floats = means.cluster_centers_
    return centers


def _places() -> Floats:
    places: Floats = oklab_from_srgb(cell_centers(BITS)) * _STRETCH
    return places


def neighbors_of(centers: Floats) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Give for each cell the nearest centers (cells, 4) and how near they are, of 255 in all."""
    places = _places()
    squared = (places**2).sum(axis=1)[:, None] + (centers**2).sum(axis=1) - 2 * places @ centers.T
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :NEAREST]
    apart = np.take_along_axis(squared, nearest, axis=1)
    near = np.exp(-(apart - apart[:, :1]) / (2 * _SIGMA**2))
    return nearest.astype(np.uint16), np.rint(255 * near / near.sum(axis=1, keepdims=True)).astype(np.uint8)
