"""What the background is like, and what it tells about the light."""

from typing import Final

import numpy as np

from services.classifier.color.analysis import Background, BackgroundKind, ColorCast
from services.classifier.color.background import Backdrop
from services.classifier.color.hexes import hex_of, rgb_from_oklab, rgb_from_srgb
from services.classifier.color.oklab import Floats, linear_from_oklab, oklab_from_linear, oklab_from_srgb
from services.classifier.color.photo import Mask, Photo

_PLAIN: Final = 0.9
_GRADIENT: Final = 0.75
_PLAIN_SPREAD: Final = 0.02
_BRIGHT: Final = 0.7
_TINTED: Final = (0.012, 0.06)


def background_of(photo: Photo, backdrop: Backdrop, mask: Mask) -> Background:
    """Tell the background of a photo; `mask` is what counts as the product."""
    colors = tuple(hex_of(rgb_from_srgb(srgb)) for srgb in backdrop.srgb)
    share = round(1.0 - int(np.count_nonzero(backdrop.foreground)) / backdrop.foreground.size, 4)
    return Background(kind=_kind(photo, backdrop, mask), hex=colors[0] if colors else None, colors=colors, share=share)


def _kind(photo: Photo, backdrop: Backdrop, mask: Mask) -> BackgroundKind:
    if photo.cut_out:
        return "transparent"
    if not len(backdrop.modes):
        return "none" if backdrop.foreground.all() and mask.all() else "scene"
    behind = ~backdrop.foreground
    spread = float(backdrop.distance.ravel() @ behind.ravel().astype(np.float32)) / (np.count_nonzero(behind) or 1)
    if len(backdrop.modes) == 1 and backdrop.explained >= _PLAIN and spread < _PLAIN_SPREAD:
        return "plain"
    return "gradient" if backdrop.explained >= _GRADIENT and _one_hue(backdrop) else "scene"


def _one_hue(backdrop: Backdrop) -> bool:
    """Tell whether the border's colors differ in lightness only."""
    tints = backdrop.modes[:, 1:]
    return bool((np.ptp(tints, axis=0) < 0.05).all())


def cast_of(background: Background, backdrop: Backdrop, product: Floats) -> ColorCast | None:
    """Correct the product's color (OKLab) for a background that is nearly, but not quite, neutral.

    The light is scaled channel by channel until the background is gray (von Kries in linear sRGB).
    """
    if background.hex is None or background.kind not in {"plain", "gradient"}:
        return None
    behind = oklab_from_srgb(backdrop.srgb[0])
    strength = float(np.hypot(behind[1], behind[2]))
    if behind[0] < _BRIGHT or not _TINTED[0] <= strength <= _TINTED[1]:
        return None
    corrected = oklab_from_linear(linear_from_oklab(product).clip(0.0, 1.0) * _gain(behind))
    return ColorCast(hex=background.hex, strength=round(strength, 4), corrected_hex=hex_of(rgb_from_oklab(corrected)))


def _gain(behind: Floats) -> Floats:
    """Give the factor of each channel that makes a color neutral and keeps its lightness."""
    neutral = linear_from_oklab(np.array([behind[0], 0.0, 0.0]))
    gain: Floats = neutral / np.maximum(linear_from_oklab(behind), 1e-3)
    return gain
