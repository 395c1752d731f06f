"""Backgrounds for synthetic photos, from white to a textured scene; (height, width, 3), bytes as floats."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from training.parts.photos import Pixels

Floats = NDArray[np.float32]
Shape = tuple[int, int]


def backdrop(shape: Shape, scenes: Sequence[Pixels], chance: Generator) -> Floats:
    """Draw a background of any kind."""
    draw = chance.random()
    if draw < 0.3:
        return _plain(shape, np.full(3, chance.choice([255, 255, 254, 252])))
    if draw < 0.58:
        return _plain(shape, _near_white(chance) if draw < 0.5 else any_color(chance))
    if draw < 0.9:
        return (_gradient if draw < 0.72 else _floor if draw < 0.82 else _clouds)(shape, chance)
    return scene(shape, scenes, chance)


def any_color(chance: Generator) -> Floats:
    """Draw a color: one third near-neutral, else any."""
    if chance.random() < 0.35:
        return np.clip(chance.uniform(10, 255) + chance.normal(0, 6, 3), 0, 255).astype(np.float32)
    return np.asarray(chance.uniform(0, 255, 3), np.float32)


def _near_white(chance: Generator) -> Floats:
    warm = np.array([0, chance.uniform(0, 6), chance.uniform(-3, 16)])
    return np.clip(chance.uniform(222, 255) - warm, 0, 255).astype(np.float32)


def _plain(shape: Shape, color: Floats) -> Floats:
    return np.broadcast_to(np.asarray(color, np.float32), (*shape, 3)).copy()


def _gradient(shape: Shape, chance: Generator) -> Floats:
    """Blend two neighboring tones along any direction, or from a bright middle outwards."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    y, x = y / shape[0] - 0.5, x / shape[1] - 0.5
    angle = chance.uniform(0, 2 * np.pi)
    along = np.hypot(x, y) * 1.4 if chance.random() < 0.4 else x * np.cos(angle) + y * np.sin(angle) + 0.5
    light = _near_white(chance) if chance.random() < 0.6 else any_color(chance)
    dark = np.clip(light - chance.uniform(8, 70) + chance.normal(0, 5, 3), 0, 255)
    return np.asarray(light + (dark - light) * along[..., None].clip(0, 1), np.float32)


def _floor(shape: Shape, chance: Generator) -> Floats:
    """Stand a wall on a floor, with a soft or a hard line between."""
    wall = _near_white(chance) if chance.random() < 0.6 else any_color(chance)
    near = np.clip(wall + chance.normal(0, 25) + chance.normal(0, 6, 3), 0, 255)
    floor = near if chance.random() < 0.6 else any_color(chance)
    line, softness = chance.uniform(0.5, 0.95), chance.uniform(0.005, 0.08)
    y = (np.arange(shape[0]) + 0.5) / shape[0]
    share = 1 / (1 + np.exp(-np.clip((y - line) / softness, -30, 30)))
    column = wall + (floor - wall) * share[:, None]
    return np.broadcast_to(column[:, None], (*shape, 3)).astype(np.float32)


def _clouds(shape: Shape, chance: Generator) -> Floats:
    """Smooth noise around one color, of one tone or of several."""
    cells = int(chance.integers(2, 14))
    spread = chance.uniform(5, 45)
    tones = chance.normal(0, spread, (cells, cells, 1)) + chance.normal(0, spread * 0.3, (cells, cells, 3))
    return np.asarray(np.clip(any_color(chance) + _stretched(tones, shape), 0, 255), np.float32)


def _stretched(cells: NDArray[np.float64], shape: Shape) -> Floats:
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(cells, -1, 0)]
    size = (shape[1], shape[0])
    return np.stack([np.asarray(plane.resize(size, Image.Resampling.BICUBIC)) for plane in planes], -1)


def scene(shape: Shape, scenes: Sequence[Pixels], chance: Generator) -> Floats:
    """Blow up some part of a photo, recolored, or draw boards: a place with things and textures in it."""
    if chance.random() < 0.35:
        return _boards(shape, chance)
    photo = scenes[int(chance.integers(len(scenes)))]
    height, width = photo.shape[:2]
    share = chance.uniform(0.25, 0.7)
    left, top = chance.uniform(0, 1 - share, 2) * (width, height)
    image = Image.fromarray(photo).resize(
        (shape[1], shape[0]), Image.Resampling.BILINEAR, box=(left, top, left + share * width, top + share * height)
    )
    turned = np.asarray(image, np.float32)[:, :, chance.permutation(3)]
    return np.clip(turned * chance.uniform(0.5, 1) + any_color(chance) * chance.uniform(0, 0.4), 0, 255)


def _boards(shape: Shape, chance: Generator) -> Floats:
    """Boards or tiles: strips of slightly different tones, with grain and dark joints."""
    count = int(chance.integers(3, 16))
    across = shape[1] if chance.random() < 0.5 else shape[0]
    strip = (np.arange(across) * count / across).astype(int)
    joint = np.diff(strip, append=strip[-1]) > 0
    tones = (chance.normal(0, 12, count)[strip] - 40 * joint)[:, None] + chance.normal(0, 4, (across, 1))
    color = any_color(chance) + tones
    rows = np.broadcast_to(color[None], (shape[0] if across == shape[1] else shape[1], across, 3))
    grained = rows + chance.normal(0, 5, (*rows.shape[:2], 1))
    turned = grained if across == shape[1] else grained.transpose(1, 0, 2)
    return np.clip(turned[: shape[0], : shape[1]], 0, 255).astype(np.float32)
