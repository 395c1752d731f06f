"""Whether a product has several colors, and how they lie: side by side, in stripes, in checks, as a print."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.analysis import Pattern
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats
from services.classifier.color.palette import Palette
from services.classifier.color.photo import Mask

SEVERAL: Final = 0.5
_MIXED: Final = 0.12
_DIRECTED: Final = 2.0


def multicolor_probability(features: Floats, model: Model) -> float:
    """Give the probability that a person would say that the product has several colors."""
    return float(1.0 / (1.0 + np.exp(-(features @ model.multicolor))))


def multicolor_features(palette: Palette, names: Floats, probabilities: Floats) -> Floats:
    """Describe variety: of the palette, of its families (k, 12) and of the product's probabilities (12)."""
    share = palette.weight
    families = share @ names
    apart = np.sqrt(((palette.oklab[:, None] - palette.oklab[None]) ** 2).sum(axis=-1))
    tints = np.hypot(*(palette.oklab[:, None, i] - palette.oklab[None, :, i] for i in (1, 2)))
    return np.array(
        [_entropy(share), _entropy(families), 5 * share @ apart @ share, 10 * share @ tints @ share,
         _entropy(probabilities), 1.0]
    )  # fmt: skip


def _entropy(shares: Floats) -> float:
    return float(-(shares * np.log(shares + 1e-9)).sum())


def pattern_of(kinds: NDArray[np.intp], mask: Mask) -> Pattern:
    """Tell the pattern of a product of several colors from the kind of color (height, width) of each pixel."""
    down, across = _changes(kinds, mask), _changes(kinds.T, mask.T)
    if max(down, across) < _MIXED:
        return "two-tone"
    if max(down, across) > _DIRECTED * min(down, across):
        return "striped"
    return "checked" if _is_regular(kinds, mask) else "printed"


def _changes(kinds: NDArray[np.intp], mask: Mask) -> float:
    """Give how often the kind of color changes from one pixel of the product to the one below."""
    inside = mask[1:] & mask[:-1]
    return float(((kinds[1:] != kinds[:-1]) & inside).sum() / max(inside.sum(), 1))


def _is_regular(kinds: NDArray[np.intp], mask: Mask) -> bool:
    """Tell whether rows and columns alike are often of one kind only, as the lines of checks are."""
    main = (kinds == np.bincount(kinds[mask]).argmax()) & mask
    return all(_spread_of_lines(main, mask, axis) > 0.15 for axis in (0, 1))


def _spread_of_lines(main: Mask, mask: Mask, axis: int) -> float:
    total = mask.sum(axis=axis)
    full = total > 0.3 * total.max()
    return float((main.sum(axis=axis)[full] / total[full]).std())
