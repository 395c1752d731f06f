"""Whole figures: a top's person over a bottom's person, cut by the frame like photos of a shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from training.parts.backdrops import Floats
from training.parts.border import Mask
from training.parts.cutouts import Cutout
from training.parts.labels import Part
from training.parts.scenes import Layer, Placing, cloth_color, empty, folds, paste, recolor, rows, skin_tone

SHOULDERS, HIPS, KNEES, ANKLES, MIDDLE = range(5)
_UPPER: Final = (Part.TORSO, Part.SKIN)
_LEGS: Final = (Part.LOWER, Part.FEET)


@dataclass(frozen=True)
class Frame:
    """How a figure stands in a frame, in pixels: torso height, y of shoulders, hips, ankles, x of the middle."""

    torso: float
    shoulders: float
    hips: float
    ankles: float
    middle: float


def is_upper(cut: Cutout) -> bool:
    """Tell a worn top whose hips are in the photo."""
    return cut.kind == "top" and cut.joints is not None and cut.joints[HIPS] < cut.labels.shape[0]


def is_lower(cut: Cutout) -> bool:
    """Tell worn trousers whose ankles are in the photo."""
    if cut.kind != "bottom" or cut.joints is None or (cut.labels == Part.FEET).sum() <= 20:
        return False
    legs, (height, width) = cut.joints[ANKLES] - cut.joints[HIPS], cut.labels.shape
    below = cut.labels[int(cut.joints[KNEES]) :]
    bare = (below == Part.SKIN).sum() > 0.1 * (below == Part.LOWER).sum()
    return bool(cut.joints[ANKLES] < 1.02 * height and legs > 0.5 * height and width < 0.6 * height and not bare)


def figure(shape: tuple[int, int], uppers: Sequence[Cutout], lowers: Sequence[Cutout], chance: Generator) -> Layer:
    """Dress one figure from two persons, and often change what it wears."""
    upper, lower = uppers[int(chance.integers(len(uppers)))], lowers[int(chance.integers(len(lowers)))]
    frame = _frame(shape, chance)
    layer = empty(*shape)
    paste(layer, upper, _upper_place(upper, frame), (Part.LOWER, *_UPPER))
    paste(layer, lower, _lower_place(lower, frame, chance), _LEGS)
    paste(layer, upper, _upper_place(upper, frame), _UPPER)
    _dress(layer, frame, chance)
    return layer


def _frame(shape: tuple[int, int], chance: Generator) -> Frame:
    """Choose what the frame shows, in torso heights below the shoulders: most cut at the chin or the waist."""
    legs, draw = chance.uniform(1.35, 1.8), chance.random()
    first, last = chance.uniform(-0.35, -0.05), 1.2 + legs
    if draw < 0.25:
        first = chance.uniform(-1.05, -0.8)
    elif draw < 0.45:
        first = chance.uniform(0.3, 0.9)
    elif draw < 0.65:
        last = 1 + legs * chance.uniform(0.15, 0.8)
    fill = chance.uniform(0.7, 1) if draw < 0.45 else chance.uniform(0.9, 1)
    torso = shape[0] * fill / (last - first)
    above = shape[0] * (1 - fill) * chance.random() if draw < 0.25 else 0
    shoulders = above - first * torso
    middle = shape[1] * chance.normal(0.5, 0.06)
    return Frame(torso, shoulders, shoulders + torso, shoulders + torso * (1 + legs), middle)


def standing(cut: Cutout, at: Placing) -> Frame:
    """Tell where a person stands that was pasted as photographed."""
    shoulders, hips, _, ankles = (at.top + at.scale * float(joint) for joint in _joints(cut)[:MIDDLE])
    return Frame(hips - shoulders, shoulders, hips, ankles, at.left + at.scale * float(_joints(cut)[MIDDLE]))


def _joints(cut: Cutout) -> Floats:
    if cut.joints is None:
        raise ValueError("nobody wears it")
    return cut.joints


def _upper_place(cut: Cutout, frame: Frame) -> Placing:
    joints = _joints(cut)
    scale = frame.torso / float(joints[HIPS] - joints[SHOULDERS])
    return Placing(
        scale, frame.shoulders - scale * float(joints[SHOULDERS]), frame.middle - scale * float(joints[MIDDLE])
    )


def _lower_place(cut: Cutout, frame: Frame, chance: Generator) -> Placing:
    joints = _joints(cut)
    scale = (frame.ankles - frame.hips) / float(joints[ANKLES] - joints[HIPS])
    widen = chance.uniform(0.85, 1.15)
    return Placing(
        scale, frame.hips - scale * float(joints[HIPS]), frame.middle - scale * widen * float(joints[MIDDLE]), widen
    )


def _dress(layer: Layer, frame: Frame, chance: Generator) -> None:
    """Change colors, hems and garments: geometry, not color, is to be learned."""
    tone = skin_tone(chance)
    _recolor_some(layer, frame, chance)
    draw = chance.random()
    if draw < 0.17:
        _skirt(layer, frame, tone, chance)
    elif draw < 0.31:
        bare_legs(layer, frame.hips + frame.torso * chance.uniform(0.15, 1), tone)
    if draw < 0.31 or chance.random() < 0.4:
        recolor(layer, layer.labels == Part.SKIN, tone)
    if chance.random() < 0.2:
        _long_garment(layer, frame, chance)
    if chance.random() < 0.12:
        open_jacket(layer, frame, chance)
    if chance.random() < 0.12:
        bare_some(layer, frame, tone, chance)


def _recolor_some(layer: Layer, frame: Frame, chance: Generator) -> None:
    """Recolor a garment or all of a suit, and show some heads from behind."""
    for part, share in ((Part.TORSO, 0.35), (Part.LOWER, 0.35), (Part.FEET, 0.1)):
        if chance.random() < share:
            recolor(layer, layer.labels == part, cloth_color(chance))
    if chance.random() < 0.06:
        recolor(layer, np.isin(layer.labels, (Part.TORSO, Part.LOWER)), cloth_color(chance))
    if chance.random() < 0.2:
        head = (layer.labels == Part.SKIN) & (rows(layer) < frame.shoulders - 0.12 * frame.torso)
        recolor(layer, head, skin_tone(chance) * chance.uniform(0.2, 0.9))


def open_jacket(layer: Layer, frame: Frame, chance: Generator) -> None:
    """Show another garment in the middle of the torso; it is not what is sold, so it counts with the skin."""
    torso, color = layer.labels == Part.TORSO, cloth_color(chance)
    if not torso.any() or np.abs(np.median(layer.colors[torso], axis=0) - color).max() < 60:
        return
    down = (rows(layer) - frame.shoulders) / frame.torso
    first, last = chance.uniform(0.02, 0.12), chance.uniform(-0.1, 0.25)
    half = (first + (last - first) * down) * frame.torso
    aside = np.arange(layer.labels.shape[1]) - frame.middle - chance.normal(0, 0.03) * frame.torso
    inner = torso & (np.abs(aside) < half)
    layer.colors[inner] = np.clip(color * folds(inner.shape, chance)[inner][:, None], 0, 255)
    layer.labels[inner] = Part.SKIN


def _bare(layer: Layer, where: Mask, tone: Floats) -> None:
    """Turn cloth into skin."""
    recolor(layer, where, tone)
    layer.labels[where] = Part.SKIN


def bare_legs(layer: Layer, hem: float, tone: Floats) -> None:
    """Shorten trousers: below the hem there is skin."""
    _bare(layer, (layer.labels == Part.LOWER) & (rows(layer) > hem), tone)


def bare_torso(layer: Layer, tone: Floats) -> None:
    """Take the top off."""
    _bare(layer, layer.labels == Part.TORSO, tone)


def bare_some(layer: Layer, frame: Frame, tone: Floats, chance: Generator) -> None:
    """Take off the top, what is below its hem, or its sleeves."""
    torso, draw = layer.labels == Part.TORSO, chance.random()
    if draw < 0.3:
        _bare(layer, torso, tone)
    elif draw < 0.65:
        _bare(layer, torso & (rows(layer) > frame.shoulders + frame.torso * chance.uniform(0.4, 0.85)), tone)
    else:
        aside = np.abs(np.arange(layer.labels.shape[1]) - frame.middle) / frame.torso
        _bare(layer, torso & (aside > chance.uniform(0.3, 0.4)), tone)


def _skirt(layer: Layer, frame: Frame, tone: Floats, chance: Generator) -> None:
    """Close the legs to a skirt of any length and width, mostly over bare legs."""
    hem = frame.hips + frame.torso * chance.uniform(0.35, 1.5)
    color = cloth_color(chance)
    recolor(layer, layer.labels == Part.LOWER, color)
    cloth = _below_hips(layer, frame, hem, chance.uniform(-0.1, 0.5)) & (layer.labels != Part.SKIN)
    cloth &= layer.labels != Part.TORSO
    if chance.random() < 0.85:
        bare_legs(layer, hem, tone)
    layer.colors[cloth] = np.clip(color * folds(cloth.shape, chance)[cloth][:, None], 0, 255)
    layer.labels[cloth] = Part.LOWER


def _long_garment(layer: Layer, frame: Frame, chance: Generator) -> None:
    """Let the top reach down as a coat, a tunic or a dress, its own pattern mirrored at the hips."""
    hem = frame.hips + frame.torso * chance.uniform(0.15, 1.3)
    cloth = _below_hips(layer, frame, hem, chance.uniform(-0.1, 0.35)) & (layer.labels != Part.FEET)
    cloth &= layer.labels != Part.SKIN
    torso = layer.labels == Part.TORSO
    if not torso.any():
        return
    color = np.median(layer.colors[torso], axis=0)
    y, x = np.nonzero(cloth)
    mirrored = np.clip(2 * int(frame.hips) - y, 0, len(cloth) - 1)
    patterned = torso[mirrored, x][:, None]
    light = folds(cloth.shape, chance)[cloth][:, None]
    layer.colors[cloth] = np.clip(np.where(patterned, layer.colors[mirrored, x], color * light), 0, 255)
    layer.labels[cloth] = Part.TORSO


def _below_hips(layer: Layer, frame: Frame, hem: float, flare: float) -> Mask:
    """Where cloth hangs from the hips to a hem, wider by `flare` for each torso height."""
    y = rows(layer)
    x = np.arange(layer.labels.shape[1])
    half = _half_width(layer, frame) * (1 + flare * (y - frame.hips) / frame.torso)
    waist = frame.hips - 0.1 * frame.torso
    return np.asarray((y > waist) & (y < hem) & (np.abs(x - frame.middle) < half))


def _half_width(layer: Layer, frame: Frame) -> float:
    """Half the width of the hips, from what is worn there."""
    row = int(np.clip(frame.hips + 0.1 * frame.torso, 0, len(layer.labels) - 1))
    columns = np.flatnonzero(layer.labels[row] == Part.LOWER)
    worn = float(columns[-1] - columns[0]) / 2 + 1 if len(columns) > 3 else 0
    return float(np.clip(worn, 0.3 * frame.torso, 0.55 * frame.torso))
