"""Which pixels are the product that was named, and how much each of them counts."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.classifier.color.background import Backdrop, central_ellipse, without_edge
from services.classifier.color.gradient import without_gradient
from services.classifier.color.groups import Group, Kind
from services.classifier.color.parts import PARTS, PartMap, part_map
from services.classifier.color.photo import Mask, Photo, Singles

_PARTS_OF: Final[dict[Group, tuple[str, ...]]] = {
    "top": ("torso", "other"),
    "bottom": ("lower body", "other"),
    "dress": ("torso", "lower body", "other"),
    "shoes": ("feet", "other"),
}
_LEAST_SHARE: Final = 0.02
_LIKELY: Final = 0.5
_LEAST_FIGURE: Final = 0.05
_RESCUED_BELOW: Final = 0.6
_LEAST_PART: Final = 0.12
_LEAST_PART_SHARE: Final = 0.01
_WHITE: Final = 0.985
_SCENE: Final = 0.75
_MIDDLE_REACH: Final = 0.3
_LEAST_WEIGHT: Final = 1e-3


@dataclass(frozen=True, eq=False)
class Product:
    """The mask of the product (height, width), how much each pixel counts, and whether a product was found at all."""

    mask: Mask
    weight: Singles
    found: bool


def product_of(photo: Photo, backdrop: Backdrop, kind: Kind, figure: Mask | None = None) -> Product:
    """Find the product of a group: what stands before the background, and of a person only what was named.

    A figure (height, width) that another model saw takes the place of what the border and our own network say.
    """
    if photo.cut_out:
        return _product(photo.opaque, photo.opaque.astype(np.float32))
    if kind.is_picture and not _is_on_white(backdrop):
        return _product(photo.opaque, photo.opaque.astype(np.float32))
    parts = part_map(photo.rgb, backdrop.foreground, backdrop.distance)
    behind = parts.likely("background")
    mask = _rescued(photo, backdrop, behind, kind.group) if figure is None else figure
    likely = _named_part(parts, kind.group)
    if likely is None:
        return _product(mask, _goods_weight(backdrop, behind))
    wanted = likely > _LIKELY
    part = wanted if _is_eaten(wanted, mask) else mask & wanted
    shown = float(likely.mean()) > _LEAST_PART * float(1.0 - behind.mean())
    if shown and np.count_nonzero(part) > _LEAST_PART_SHARE * part.size:
        return _product(part, likely)
    return _product(mask, np.ones(mask.shape, dtype=np.float32))


def _is_on_white(backdrop: Backdrop) -> bool:
    """Tell whether a picture is shown on white; otherwise it fills the frame."""
    return len(backdrop.modes) == 1 and bool(backdrop.modes[0, 0] > _WHITE)


def _goods_weight(backdrop: Backdrop, behind: Singles) -> Singles:
    """Count what the network holds for background less, and in a scene what is far from the middle."""
    weight: Singles = 1.0 - behind + np.float32(_LEAST_WEIGHT)
    if backdrop.explained >= _SCENE:
        return weight
    height, width = weight.shape
    down, across = _middle(height), _middle(width)
    return weight * down[:, None] * across[None, :]


def _middle(count: int) -> Singles:
    """Give the weight of each row or column of a frame."""
    offset = (np.arange(count) + 0.5) / count - 0.5
    weight: Singles = np.exp(-(offset**2) / (2 * _MIDDLE_REACH**2)).astype(np.float32)
    return weight


def _product(mask: Mask, weight: Singles) -> Product:
    found = bool(np.count_nonzero(mask) >= _LEAST_SHARE * mask.size)
    inner = without_edge(mask if found else central_ellipse(mask.shape))
    kept = weight if found else np.ones(mask.shape, dtype=np.float32)
    return Product(inner, np.where(inner, kept, np.float32(0.0)), found)


def _rescued(photo: Photo, backdrop: Backdrop, behind: Singles, group: Group) -> Mask:
    """Take the network's figure where the border's colors are those of the product, and the border mask ate it."""
    figure = behind <= _LIKELY
    if _is_eaten(figure, backdrop.foreground):
        return figure
    if group in _PARTS_OF:
        return backdrop.foreground
    sharp = without_gradient(photo, backdrop)
    return backdrop.foreground if _is_on_white(backdrop) and _is_eaten(figure, sharp) else sharp


def _is_eaten(figure: Mask, kept: Mask) -> bool:
    """Tell whether a mask misses much of what the network holds for the figure: white on white."""
    size = np.count_nonzero(figure)
    eaten = np.count_nonzero(kept & figure) < _RESCUED_BELOW * size
    return bool(eaten and size > _LEAST_FIGURE * figure.size)


def _named_part(parts: PartMap, group: Group) -> Singles | None:
    """Give how likely each pixel (height, width) is of the named product; none where there is no choice of part."""
    names = _PARTS_OF.get(group)
    if names is None or (group == "shoes" and not _is_whole_figure(parts)):
        return None
    return parts.likely(*names)


def _is_whole_figure(parts: PartMap) -> bool:
    """Tell whether a person is shown, not only shoes on feet."""
    shares = {name: float(parts.likely(name).mean()) for name in PARTS}
    body = shares["torso"] + shares["lower body"]
    person = body + shares["head and skin"]
    return shares["feet"] > 0.004 and body > 0.04 and person > 0.5 * (1.0 - shares["background"])
