"""The few colors that make up a product, by k-means over its histogram."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.histogram import Histogram
from services.classifier.color.oklab import Floats

MOST_COLORS: Final = 5
_MOST_CELLS: Final = 400
_MOST_ROUNDS: Final = 8
_LEAST_DISTANCE: Final = 0.04
_LEAST_SHARE: Final = 0.01


@dataclass(frozen=True, eq=False)
class Palette:
    """Colors in OKLab (k, 3), heaviest first, with their share of the area (k) and of the weight (k).

    cluster_of (n) tells for each cell of the histogram to which color it belongs.
    """

    oklab: Floats
    area: Floats
    weight: Floats
    cluster_of: NDArray[np.intp]


def palette_of(histogram: Histogram) -> Palette:
    """Group the colors of a product; deterministic."""
    heaviest = np.argsort(-histogram.area, kind="stable")[:_MOST_CELLS]
    centers = _settled(histogram.oklab[heaviest], histogram.area[heaviest])
    cluster_of = _squared(histogram.oklab, centers).argmin(axis=1)
    return _ordered(histogram, cluster_of, len(centers))


def _settled(colors: Floats, area: Floats) -> Floats:
    """Move the first centers to the means of what is nearest to them until nothing changes."""
    centers = _first(colors, area)
    nearest = np.full(len(colors), -1)
    for _ in range(_MOST_ROUNDS):
        before, nearest = nearest, _squared(colors, centers).argmin(axis=1)
        if (nearest == before).all():
            break
        centers = _means(colors, area, nearest, centers)
    return centers


def _first(colors: Floats, area: Floats) -> Floats:
    """Begin at the heaviest color, then take what is heavy and far from all taken."""
    taken = [0]
    distance = _squared(colors, colors[:1])[:, 0]
    while len(taken) < MOST_COLORS:
        best = int((distance * area).argmax())
        if distance[best] < _LEAST_DISTANCE**2:
            break
        taken.append(best)
        distance = np.minimum(distance, _squared(colors, colors[best : best + 1])[:, 0])
    return colors[taken]


def _squared(colors: Floats, centers: Floats) -> Floats:
    distance: Floats = ((colors[:, None, :] - centers[None, :, :]) ** 2).sum(axis=-1)
    return distance


def _means(colors: Floats, area: Floats, nearest: NDArray[np.intp], centers: Floats) -> Floats:
    total = np.bincount(nearest, weights=area, minlength=len(centers))
    sums = np.stack(
        [np.bincount(nearest, weights=area * colors[:, i], minlength=len(centers)) for i in range(3)], axis=-1
    )
    return np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], centers)


def _ordered(histogram: Histogram, cluster_of: NDArray[np.intp], count: int) -> Palette:
    """Put the colors in order of area and drop what is next to nothing."""
    area = np.bincount(cluster_of, weights=histogram.area, minlength=count)
    kept = np.argsort(-area, kind="stable")
    kept = kept[area[kept] >= min(_LEAST_SHARE, area.max())]
    place = np.zeros(count, dtype=np.intp)
    place[kept] = np.arange(len(kept))
    oklab = _means(histogram.oklab, histogram.area, cluster_of, np.zeros((count, 3)))[kept]
    weight = np.bincount(cluster_of, weights=histogram.weight, minlength=count)[kept]
    return Palette(oklab, area[kept] / area[kept].sum(), weight / max(weight.sum(), 1e-12), place[cluster_of])
