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
    cluster_of = _nearest(histogram.oklab, centers)
    return _ordered(histogram, cluster_of, len(centers))


def _settled(colors: Floats, area: Floats) -> Floats:
    """Move the first centers to the means of what is nearest to them until nothing changes."""
    centers = _first(colors, area)
    weighted = np.column_stack([colors * area[:, None], area])
    nearest = np.full(len(colors), -1)
    for _ in range(_MOST_ROUNDS):
        before, nearest = nearest, _nearest(colors, centers)
        if (nearest == before).all():
            break
        sums = _sums(weighted, nearest, len(centers))
        centers = np.where(sums[:, 3:] > 0, sums[:, :3] / np.maximum(sums[:, 3:], 1e-12), centers)
    return centers


def _first(colors: Floats, area: Floats) -> Floats:
    """Begin at the heaviest color, then take what is heavy and far from all taken."""
    taken = [0]
    distance = _squared(colors, colors[0])
    while len(taken) < MOST_COLORS:
        best = int((distance * area).argmax())
        if distance[best] < _LEAST_DISTANCE**2:
            break
        taken.append(best)
        distance = np.minimum(distance, _squared(colors, colors[best]))
    return colors[taken]


def _squared(colors: Floats, center: Floats) -> Floats:
    apart = colors - center
    distance: Floats = np.einsum("ij,ij->i", apart, apart)
    return distance


def _nearest(colors: Floats, centers: Floats) -> NDArray[np.intp]:
    """Find the nearest center of each color, by the squared distance less what all centers share."""
    apart: Floats = (centers**2).sum(axis=1)[:, None] - 2.0 * centers @ colors.T
    nearest: NDArray[np.intp] = apart.argmin(axis=0)
    return nearest


def _sums(values: Floats, cluster_of: NDArray[np.intp], count: int) -> Floats:
    """Add up the rows of values that belong to each cluster."""
    sums: Floats = np.eye(count).take(cluster_of, axis=0).T @ values
    return sums


def _ordered(histogram: Histogram, cluster_of: NDArray[np.intp], count: int) -> Palette:
    """Put the colors in order of area and drop what is next to nothing."""
    values = np.column_stack([histogram.oklab * histogram.area[:, None], histogram.area, histogram.weight])
    sums = _sums(values, cluster_of, count)
    area = sums[:, 3]
    kept = np.argsort(-area, kind="stable")
    kept = kept[area[kept] >= min(_LEAST_SHARE, area.max())]
    place = np.zeros(count, dtype=np.intp)
    place[kept] = np.arange(len(kept))
    oklab, area, weight = sums[kept, :3] / area[kept, None], area[kept], sums[kept, 4]
    return Palette(oklab, area / area.sum(), weight / max(weight.sum(), 1e-12), place[cluster_of])
