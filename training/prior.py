"""Where a product is in its box, and what single colors are called: learned together, by expectation-maximization.

A photo has one label and many pixels. Each round asks of every pixel how well its color fits the label, learns from
the answers where the pixels of the product lie, and from both what the colors are called.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from services.classifier.color.analysis import FAMILIES
from services.classifier.color.cielab import lab_from_srgb, srgb_from_lab
from services.classifier.color.groups import GROUPS, Group
from services.classifier.color.histogram import BITS, cells_of
from services.classifier.color.names import commerce_names, family_likeness
from services.classifier.color.oklab import Floats, oklab_from_srgb
from services.classifier.color.photo import cell_centers
from services.classifier.color.places import MAP_SIDE
from training.seeing import Seen

Indices = NDArray[np.intp]

ROUNDS: Final = 6
GRID: Final = (21, 24, 24)
"""Cells of lightness in [0, 1], of a in [-.30, .30] and of b in [-.35, .35]."""
_REACH: Final = np.array([1.0, 0.6, 0.7])
_LOWEST: Final = np.array([0.0, -0.30, -0.35])
_BLUR: Final = (0.63, 1.2, 1.0)
_PLACES: Final = MAP_SIDE * MAP_SIDE


@dataclass(frozen=True, eq=False)
class Prior:
    """Maps (groups, 16, 16) in [0, 1], and names (grid cells, 12): how a color is called."""

    maps: Floats
    names: Floats


@dataclass(frozen=True, eq=False)
class _Counts:
    """Pixels counted by photo, grid cell and place; each array (n)."""

    photo: NDArray[np.intp]
    cell: NDArray[np.intp]
    place: NDArray[np.intp]
    count: Floats


def grid_cells(oklab: Floats) -> NDArray[np.intp]:
    """Number the grid cell of each OKLab color along the last axis."""
    steps = np.floor((oklab - _LOWEST) / _REACH * np.array(GRID)).astype(np.intp)
    steps = steps.clip(0, np.array(GRID) - 1)
    cells: NDArray[np.intp] = (steps[..., 0] * GRID[1] + steps[..., 1]) * GRID[2] + steps[..., 2]
    return cells


def grid_centers() -> Floats:
    """Give the OKLab centers of all grid cells, in the order of their numbers."""
    steps = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in GRID), indexing="ij"), axis=-1).reshape(-1, 3)
    centers: Floats = steps / np.array(GRID) * _REACH + _LOWEST
    return centers


def reference_names() -> Floats:
    """Call each grid cell (n, 12) after the reference colors of the shop names that are near."""
    known = commerce_names()
    reference = oklab_from_srgb(srgb_from_lab(known.lab))
    apart = ((grid_centers()[:, None] - reference) ** 2 * np.array([1.0, 2.0, 2.0])).sum(axis=-1)
    near = np.exp(-apart / (2 * 0.06**2)) + 1e-9 * np.exp(-apart / (2 * 0.3**2)) + 1e-30
    of_family = np.array([FAMILIES.index(family) for family in known.families])
    names = np.stack([near[:, of_family == family].sum(axis=1) for family in range(len(FAMILIES))], axis=1)
    return _shares(names)


def learn_prior(seen: list[Seen], family: NDArray[np.intp], groups: list[Group]) -> Prior:
    """Learn maps and names from product pixels and the labels of their photos."""
    counts = _counted(seen)
    group = np.array([GROUPS.index(name) for name in groups])
    position = group[counts.photo] * _PLACES + counts.place
    label = family[counts.photo]
    reference = names = reference_names()
    maps = np.ones((len(GROUPS), MAP_SIDE, MAP_SIDE))
    for _ in range(ROUNDS):
        relevance = names[counts.cell, label]
        maps = _maps(position, counts.count, relevance)
        weight = counts.count * relevance * maps.reshape(-1)[position]
        names = _names(counts, label, _balanced(weight, counts.photo, family), reference)
    return Prior(maps, names)


def _counted(seen: list[Seen]) -> _Counts:
    grid = grid_cells(oklab_from_srgb(cell_centers(BITS)))
    parts = [_counted_once(index, grid[cells_of(one.rgb)], one) for index, one in enumerate(seen)]
    photo, cell, place, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Counts(photo, cell, place, count)


def _counted_once(index: int, cells: NDArray[np.intp], one: Seen) -> tuple[Indices, Indices, Indices, Floats]:
    keys, inverse = np.unique(cells * _PLACES + one.place, return_inverse=True)
    count = np.bincount(inverse, weights=one.weight).astype(np.float64)
    photo: Indices = np.full(len(keys), index)
    return photo, keys // _PLACES, keys % _PLACES, count


def _maps(position: NDArray[np.intp], count: Floats, relevance: Floats) -> Floats:
    """Give each group's mean relevance per place, sharpened; a group without photos counts every place alike."""
    size = len(GROUPS) * _PLACES
    total = np.bincount(position, weights=count, minlength=size)
    mean = np.bincount(position, weights=count * relevance, minlength=size) / np.maximum(total, 1.0)
    shape = (len(GROUPS), MAP_SIDE, MAP_SIDE)
    used = total.reshape(shape).sum(axis=(1, 2)) > 0
    pairs = zip(mean.reshape(shape), used, strict=True)
    return np.stack([_sharpened(one) if taught else np.ones(shape[1:]) for one, taught in pairs])


def _sharpened(mean: Floats) -> Floats:
    smooth = gaussian_filter(mean, 1.0)
    raised = np.maximum(smooth - 0.8 * np.percentile(smooth, 10), 0.0)
    sharpened: Floats = (raised / raised.max()) ** 1.5 + 0.02
    return sharpened


def _balanced(weight: Floats, photo: NDArray[np.intp], family: NDArray[np.intp]) -> Floats:
    """Give each photo the same weight, and frequent families less for each photo."""
    total = np.bincount(photo, weights=weight, minlength=len(family))
    often = np.sqrt(np.bincount(family, minlength=len(FAMILIES)) + 1.0)
    balanced: Floats = weight / np.maximum(total, 1e-12)[photo] / often[family[photo]]
    return balanced


def _names(counts: _Counts, label: NDArray[np.intp], weight: Floats, reference: Floats) -> Floats:
    size = len(reference) * len(FAMILIES)
    table = np.bincount(counts.cell * len(FAMILIES) + label, weights=weight, minlength=size)
    table = table.reshape(*GRID, len(FAMILIES))
    smooth = np.stack([gaussian_filter(table[..., i], _BLUR) for i in range(len(FAMILIES))], axis=-1)
    smooth = smooth.reshape(-1, len(FAMILIES))
    total = smooth.sum(axis=1, keepdims=True)
    return _shares(smooth + reference * (0.02 * total + 1e-4 * total.mean()))


def _shares(counts: Floats) -> Floats:
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares


def called() -> NDArray[np.uint8]:
    """Give how the color of each histogram cell is called (cells, 12), of 255 in all."""
    return np.rint(255 * family_likeness(lab_from_srgb(cell_centers(BITS)))).astype(np.uint8)
