"""A synthetic photo while it is made: pieces are pasted, recolored and painted before a background."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from training.parts.backdrops import Floats, any_color
from training.parts.border import Mask
from training.parts.cutouts import Cutout
from training.parts.labels import Labels, Part

_SKIN_TONES: Final = np.array(
    [[241, 205, 180], [228, 184, 152], [204, 152, 118], [170, 117, 84], [124, 80, 56], [84, 54, 40]], np.float32
)
"""Colors of lit skin from light to dark, by eye."""


@dataclass(frozen=True)
class Layer:
    """What stands before the background: colors (height, width, 3) and labels (height, width), painted in place."""

    colors: Floats
    labels: Labels


@dataclass(frozen=True)
class Placing:
    """Where a cutout goes: pixels of the layer for each of its own, and where its own origin lies (y, x)."""

    scale: float
    top: float
    left: float
    widen: float = 1.0


def empty(height: int, width: int) -> Layer:
    """Begin with nothing."""
    return Layer(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.uint8))


def paste(layer: Layer, cut: Cutout, at: Placing, parts: tuple[Part, ...] = tuple(Part)) -> None:
    """Put the named parts of a cutout over what is there."""
    size = (max(1, round(cut.labels.shape[1] * at.scale * at.widen)), max(1, round(cut.labels.shape[0] * at.scale)))
    colors = np.asarray(Image.fromarray(cut.photo).resize(size, Image.Resampling.BILINEAR))
    labels = np.asarray(Image.fromarray(cut.labels).resize(size, Image.Resampling.NEAREST))
    there, here = _overlap(layer.labels.shape, labels.shape, round(at.top), round(at.left))
    kept = np.isin(labels[here], [part for part in parts if part != Part.BACKGROUND])
    layer.colors[there][kept] = colors[here][kept]
    layer.labels[there][kept] = labels[here][kept]


def _overlap(
    frame: tuple[int, ...], patch: tuple[int, ...], top: int, left: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    spans = [
        (max(0, start), max(0, min(size, start + length)), start)
        for size, length, start in zip(frame, patch, (top, left), strict=True)
    ]
    there = tuple(slice(begin, max(begin, end)) for begin, end, _ in spans)
    here = tuple(slice(begin - start, max(begin, end) - start) for begin, end, start in spans)
    return (there[0], there[1]), (here[0], here[1])


def recolor(layer: Layer, where: Mask, color: Floats) -> None:
    """Give pixels another color, with their own folds and shadows."""
    if not where.any():
        return
    light = layer.colors[where].mean(-1) + 20
    ratio = np.clip(light / np.median(light), 0.45, 1.5)[:, None]
    layer.colors[where] = np.clip(color * ratio, 0, 255)


def skin_tone(chance: Generator) -> Floats:
    """Draw a tone of skin between two neighbors of the scale."""
    at = chance.uniform(0, len(_SKIN_TONES) - 1.001)
    low = int(at)
    tone = _SKIN_TONES[low] * (low + 1 - at) + _SKIN_TONES[low + 1] * (at - low)
    return np.asarray(np.clip(tone * chance.uniform(0.9, 1.08) + chance.normal(0, 4, 3), 0, 255), np.float32)


def cloth_color(chance: Generator) -> Floats:
    """Draw a color of cloth: one in five like skin, which only its place tells apart; one in five white or black."""
    draw = chance.random()
    if draw < 0.2:
        return skin_tone(chance)
    if draw < 0.4:
        tone = chance.uniform(215, 255) if chance.random() < 0.6 else chance.uniform(12, 50)
        return np.clip(tone + chance.normal(0, 3, 3), 0, 255).astype(np.float32)
    return any_color(chance)


def folds(shape: tuple[int, ...], chance: Generator) -> Floats:
    """Draw the light on hanging cloth, around 1; (height, width)."""
    x = np.linspace(0, 1, shape[1], dtype=np.float32)
    waves = sum(chance.uniform(0, 0.07) * np.sin(chance.uniform(8, 60) * x + chance.uniform(0, 6)) for _ in range(3))
    lean = ndimage.gaussian_filter(chance.normal(0, 1, shape), 6)
    return np.asarray(1 + waves + 0.25 * lean, np.float32)


def before(layer: Layer, background: Floats, chance: Generator) -> Floats:
    """Put the layer before a background, with soft edges and at times a shadow."""
    inside = layer.labels > 0
    if chance.random() < 0.35:
        background = background * _shadow(inside, chance)[:, :, None]
    alpha = np.minimum(1, ndimage.uniform_filter(inside.astype(np.float32), 3) * chance.uniform(1.2, 1.9)) * inside
    return np.asarray(background + (layer.colors - background) * alpha[:, :, None], np.float32)


def _shadow(inside: Mask, chance: Generator) -> Floats:
    """Cast the outline on the wall, blurred and moved; factors of the light."""
    height, width = inside.shape
    moved = np.roll(
        inside, (int(chance.integers(-2, height // 8)), int(chance.integers(-width // 6, width // 6))), (0, 1)
    )
    if chance.random() < 0.4:  # only below: a shadow of contact
        moved = moved & (np.arange(height)[:, None] > np.flatnonzero(inside.any(1))[-1:] - height // 8)
    soft = ndimage.gaussian_filter(moved.astype(np.float32), chance.uniform(1.5, 7))
    return np.asarray(1 - chance.uniform(0.08, 0.4) * soft, np.float32)


def rows(layer: Layer) -> NDArray[np.intp]:
    """Row numbers as a column."""
    return np.arange(layer.labels.shape[0])[:, None]
