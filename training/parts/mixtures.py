"""Synthetic photos with a label for each pixel, as the network sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from services.classifier.color.parts import BLOCK, CHANNELS, GRID, SIDE, by_place, network_inputs
from training.parts.backdrops import backdrop, scene
from training.parts.border import border_features
from training.parts.cutouts import Cutout
from training.parts.figures import (
    bare_legs,
    bare_some,
    bare_torso,
    figure,
    is_lower,
    is_upper,
    open_jacket,
    standing,
)
from training.parts.labels import Labels, Part
from training.parts.photos import Pixels
from training.parts.scenes import Layer, Placing, before, cloth_color, empty, paste, recolor, skin_tone

_STEPS = np.array([127.5 / 1.2, 127.5 / 1.2, 127.5 / 1.2, 255, 159], np.float32)[:, None, None]
_LOWEST = np.array([-1.2, -1.2, -1.2, -0.5, 0], np.float32)[:, None, None]


@dataclass(frozen=True)
class Stock:
    """The cutouts by their use."""

    uppers: tuple[Cutout, ...]
    lowers: tuple[Cutout, ...]
    persons: tuple[Cutout, ...]
    goods: tuple[Cutout, ...]
    scenes: tuple[Pixels, ...]


@dataclass(frozen=True)
class Samples:
    """Inputs (photos, 5, 16, 256) and labels (photos, 16, 256) as bytes, by pixel of a place and place; aspects."""

    inputs: NDArray[np.uint8]
    labels: Labels
    aspects: NDArray[np.float32]


def stock(cuts: Sequence[Cutout]) -> Stock:
    """Sort the cutouts."""
    return Stock(
        tuple(cut for cut in cuts if is_upper(cut)),
        tuple(cut for cut in cuts if is_lower(cut)),
        tuple(cut for cut in cuts if cut.joints is not None),
        tuple(cut for cut in cuts if cut.joints is None),
        tuple(cut.photo for cut in cuts if cut.kind == "goods" and min(cut.labels.shape) > 60),
    )


def mixtures(pieces: Stock, count: int, seed: int) -> Samples:
    """Make synthetic photos; the same seed gives the same ones."""
    samples = Samples(
        np.empty((count, CHANNELS, BLOCK**2, GRID**2), np.uint8),
        np.empty((count, BLOCK**2, GRID**2), np.uint8),
        np.empty(count, np.float32),
    )
    for index in range(count):
        photo, labels = mixture(pieces, np.random.default_rng((seed, index)))
        samples.inputs[index] = by_place(quantized(network_inputs(photo, *border_features(photo))))
        samples.labels[index] = by_place(_square(labels)[np.newaxis])[0]
        samples.aspects[index] = labels.shape[0] / labels.shape[1]
    return samples


def quantized(inputs: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Keep the inputs of the network as bytes."""
    return np.asarray(np.clip((inputs - _LOWEST) * _STEPS + 0.5, 0, 255)).astype(np.uint8)


def restored(inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Undo `quantized`, for arrays (..., 5, any, any)."""
    return np.asarray(inputs / _STEPS + _LOWEST, np.float32)


def _square(labels: Labels) -> Labels:
    rows = (np.arange(SIDE) * 2 + 1) * labels.shape[0] // (2 * SIDE)
    columns = (np.arange(SIDE) * 2 + 1) * labels.shape[1] // (2 * SIDE)
    return np.asarray(labels[rows[:, None], columns])


def mixture(pieces: Stock, chance: Generator) -> tuple[Pixels, Labels]:
    """Make one photo of any kind with its labels."""
    draw = chance.random()
    if draw < 0.37:
        layer = figure(_shape(chance, 1.15, 1.78), pieces.uppers, pieces.lowers, chance)
    elif draw < 0.64:
        layer = _person(pieces, chance)
    else:
        layer = _goods(pieces, chance)
    background = _behind(layer, pieces, chance)
    photo, labels = before(layer, background, chance), layer.labels
    if chance.random() < 0.5:
        photo, labels = photo[:, ::-1], labels[:, ::-1]
    return _developed(photo, chance), labels


def _behind(layer: Layer, pieces: Stock, chance: Generator) -> NDArray[np.float32]:
    """Draw a background, for a quarter of the goods one of their own color: white on white."""
    goods = layer.labels == Part.OTHER
    background = backdrop((layer.labels.shape[0], layer.labels.shape[1]), pieces.scenes, chance)
    if goods.any() and chance.random() < 0.25:
        alike = np.median(layer.colors[goods], axis=0) + chance.normal(0, 20) + chance.normal(0, 3, 3)
        background[:] = np.clip(alike, 0, 255)
    return background


def _shape(chance: Generator, lowest: float, highest: float) -> tuple[int, int]:
    """Draw a height and a width for the longest side of about 112 px."""
    side, aspect = chance.uniform(100, 126), chance.uniform(lowest, highest)
    return (round(side), round(side / aspect)) if aspect >= 1 else (round(side * aspect), round(side))


def _person(pieces: Stock, chance: Generator) -> Layer:
    """One person as photographed, whole or cut by the frame."""
    cut = pieces.persons[int(chance.integers(len(pieces.persons)))]
    share = chance.uniform(2, 4.5) if chance.random() < 0.15 else chance.uniform(0.6, 2)
    layer, at = _placed(cut, _shape(chance, 1, 1.78), share, chance)
    _change(layer, cut, at, chance)
    return layer


def _change(layer: Layer, cut: Cutout, at: Placing, chance: Generator) -> None:
    """Change some of the colors, the skin and the garments of one person."""
    tone = skin_tone(chance)
    if chance.random() < 0.3:
        recolor(layer, layer.labels == Part.SKIN, tone)
    for part in (Part.TORSO, Part.LOWER):
        if chance.random() < 0.2:
            recolor(layer, layer.labels == part, cloth_color(chance))
    if cut.kind == "bottom" and chance.random() < 0.3:
        recolor(layer, layer.labels == Part.SKIN, tone)
        bare_legs(layer, layer.labels.shape[0] * chance.uniform(0.3, 0.9), tone)
    if cut.kind == "bottom" and chance.random() < 0.15:
        bare_torso(layer, tone)
    if cut.kind == "top" and chance.random() < 0.12:
        open_jacket(layer, standing(cut, at), chance)
    if cut.kind == "top" and chance.random() < 0.08:
        bare_some(layer, standing(cut, at), tone, chance)


def _placed(cut: Cutout, shape: tuple[int, int], share: float, chance: Generator) -> tuple[Layer, Placing]:
    """Put a cutout into a frame, where it fills the share of what fits; a larger one is cut off anywhere."""
    layer = empty(*shape)
    height, width = cut.labels.shape
    scale = share * min(shape[0] / height, shape[1] / width)
    top = (shape[0] - height * scale) * chance.uniform(0, 1)
    left = (shape[1] - width * scale) * chance.normal(0.5, 0.12)
    at = Placing(scale, top, left)
    paste(layer, cut, at)
    return layer, at


def _goods(pieces: Stock, chance: Generator) -> Layer:
    """Goods without a person, at times a cover that fills most of the frame."""
    shape = _shape(chance, 0.6, 1.5)
    if chance.random() < 0.1:
        return _cover(pieces, shape, chance)
    cut = pieces.goods[int(chance.integers(len(pieces.goods)))]
    layer, _ = _placed(cut, shape, chance.uniform(0.5, 1.3), chance)
    if chance.random() < 0.15:
        recolor(layer, layer.labels > 0, cloth_color(chance))
    return layer


def _cover(pieces: Stock, shape: tuple[int, int], chance: Generator) -> Layer:
    """A picture as goods: a book, an album, a screen."""
    layer = empty(*shape)
    margin = chance.uniform(0, 0.2) if chance.random() < 0.7 else 0.0
    inset = (round(shape[0] * margin), round(shape[1] * margin))
    box = np.s_[inset[0] : shape[0] - inset[0], inset[1] : shape[1] - inset[1]]
    ground = backdrop(shape, pieces.scenes, chance) if chance.random() < 0.4 else scene(shape, pieces.scenes, chance)
    layer.colors[box] = ground[box]
    inner, _ = _placed(pieces.goods[int(chance.integers(len(pieces.goods)))], shape, chance.uniform(0.3, 0.9), chance)
    shown = inner.labels[box] > 0
    layer.colors[box][shown] = inner.colors[box][shown]
    layer.labels[box] = Part.OTHER
    return layer


def _developed(photo: NDArray[np.float32], chance: Generator) -> Pixels:
    """Change exposure and white balance, at times with noise or softness; to bytes."""
    gain = chance.uniform(0.92, 1.06, 3) if chance.random() < 0.5 else np.ones(3)
    developed = 255 * (np.clip(photo, 0, 255) / 255) ** chance.uniform(0.8, 1.25) * gain
    if chance.random() < 0.4:
        developed = developed + chance.normal(0, chance.uniform(0.3, 3), developed.shape)
    if chance.random() < 0.2:
        developed = ndimage.gaussian_filter(developed, (0.6, 0.6, 0))
    return np.clip(developed + 0.5, 0, 255).astype(np.uint8)
