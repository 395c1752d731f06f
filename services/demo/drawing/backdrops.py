"""What products are photographed in front of."""

import numpy as np

from services.demo.drawing.brush import SIDE, Canvas, Plane, across, blurred, down, noise, polygon, rgb


def plain(color: str = "#FFFFFF") -> Canvas:
    """One color everywhere, as shops like it."""
    return Canvas(np.broadcast_to(rgb(color), (SIDE, SIDE, 3)).astype(np.float32))


def studio(color: str, *, horizon: float = 0.68) -> Canvas:
    """A roll of paper that bends from the wall to the table, brighter in the middle."""
    glow = 1 - 0.5 * ((across() - 0.45) ** 2 + (down() - 0.42) ** 2)
    bend = 1 - 0.06 * np.exp(-(((down() - horizon) / 0.07) ** 2)) + 0.05 * np.clip((down() - horizon) / 0.3, 0, 1)
    return Canvas(np.clip(rgb(color) * (glow * bend + 0.08)[..., None], 0, 1).astype(np.float32))


def room(wall: str, floor: str = "#B98F63", *, edge: float = 0.74) -> Canvas:
    """A wall with the light of a window, a skirting board and a wooden floor."""
    canvas = Canvas(np.broadcast_to(rgb(wall), (SIDE, SIDE, 3)).astype(np.float32))
    canvas.pixels = canvas.pixels * (1.02 - 0.16 * across() - 0.06 * down() + 0.012 * noise(3, 40, 40))[..., None]
    _window(canvas)
    below = (down() > edge).astype(np.float32)
    canvas.paint(below, floor, _boards(edge))
    canvas.paint(((down() > edge - 0.035) & (down() <= edge)).astype(np.float32), "#F3EFE8", 0.97 - 0.1 * across())
    line = ((down() > edge) & (down() <= edge + 0.012)).astype(np.float32)
    canvas.cast(line, by=(0, 0), soft=0.004, strength=0.35)
    return canvas


def _window(canvas: Canvas) -> None:
    for left, top in ((0.06, 0.06), (0.21, 0.06), (0.06, 0.25), (0.21, 0.25)):
        pane = polygon(
            [(left, top + 0.04), (left + 0.13, top), (left + 0.13, top + 0.17), (left, top + 0.21)],
        )
        canvas.brighten(pane, 0.32, soft=0.006)


def _boards(edge: float) -> Plane:
    """Light on floor boards that run to a point far behind the wall."""
    depth = np.clip((down() - edge) / (1 - edge), 0, 1)
    along = (across() - 0.5) / (0.55 + 0.75 * depth)
    number = np.floor(along * 9)
    tone = np.sin(number * 12.9898) * 0.05 + 0.02 * np.sin(along * 400 + 3 * noise(11, 6, 3))
    joint = np.exp(-(((along * 9 - number) / 0.02) ** 2)) * 0.3
    return np.asarray(0.86 + 0.14 * depth + tone - joint + 0.03 * noise(5, 60, 4), np.float32)


def ground_shadow(canvas: Canvas, mask: Plane, *, strength: float = 0.45, soft: float = 0.012) -> None:
    """Set a product on the ground: a dark line where it stands, and a wide soft shadow."""
    canvas.cast(mask, by=(0.006, 0.004), soft=soft, strength=strength)
    canvas.pixels = (
        canvas.pixels * (1 - 0.45 * strength * blurred(np.roll(mask, round(0.02 * SIDE), 1), 0.05))[..., None]
    )
