"""Shapes, light and shadow on a canvas.

Outlines are drawn at four times the size and reduced, so that their edges are smooth. Light falls from the upper left.
Coordinates are shares of the side of the square canvas: (0, 0) is its upper left corner.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE: Final = 600
"""Pixels along each side of a finished picture."""
_FINER: Final = 4
_STEPS: Final = 14

Plane: TypeAlias = NDArray[np.floating]
"""One value for each pixel, (SIDE, SIDE)."""
Pixels: TypeAlias = NDArray[np.floating]
"""sRGB in [0, 1], (SIDE, SIDE, 3)."""
Point: TypeAlias = tuple[float, float]


class Canvas:
    """A picture on the way."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels

    def paint(
        self, mask: Plane, color: str, shade: Plane | float = 1.0, *, relief: float = 0.0, depth: float = 0.03
    ) -> None:
        """Lay a color on a shape; `relief` raises it like a cushion whose edge is `depth` wide."""
        lit = shade + relief * _slope(mask, depth) if relief else np.broadcast_to(np.float32(shade), mask.shape)
        self.blend(mask, _lit(rgb(color), np.asarray(lit, np.float32)))

    def blend(self, mask: Plane, pixels: Pixels) -> None:
        """Lay pixels on a shape."""
        cover = np.clip(mask, 0, 1)[..., None]
        self.pixels = self.pixels * (1 - cover) + pixels * cover

    def cast(self, mask: Plane, *, by: Point = (0.012, 0.02), soft: float = 0.02, strength: float = 0.3) -> None:
        """Let a shape throw a shadow on what is there so far."""
        moved = np.roll(mask, (round(by[1] * SIDE), round(by[0] * SIDE)), (0, 1))
        self.pixels = self.pixels * (1 - strength * blurred(moved, soft))[..., None]

    def brighten(self, mask: Plane, strength: float, soft: float = 0.0) -> None:
        """Let a shape shine."""
        light = np.clip((blurred(mask, soft) if soft else mask) * strength, 0, 1)[..., None]
        self.pixels = self.pixels + (1 - self.pixels) * light

    def image(self) -> Image.Image:
        """Finish the picture, with the grain of a camera."""
        grain = np.random.default_rng(7).normal(0, 0.006, (*self.pixels.shape[:2], 1))
        return Image.fromarray((np.clip(self.pixels + grain, 0, 1) * 255 + 0.5).astype(np.uint8), "RGB")


def rgb(color: str) -> NDArray[np.floating]:
    """Read `#RRGGBB` as three shares.

    >>> rgb("#FF0000").tolist()
    [1.0, 0.0, 0.0]
    """
    return np.frombuffer(bytes.fromhex(color[1:]), np.uint8) / np.float32(255)


def _lit(color: NDArray[np.floating], light: Plane) -> Pixels:
    """Darken a color below a light of 1, and move it to white above."""
    shade, shine = np.minimum(light, 1)[..., None], np.clip(light - 1, 0, 1)[..., None]
    lit: Pixels = color * np.clip(shade, 0, 1) * (1 - shine) + shine
    return lit


def _slope(mask: Plane, depth: float) -> Plane:
    """How much a shape that swells from its edge faces the light, about -1 to 1."""
    down, right = np.gradient(blurred(mask, depth))
    return np.asarray((0.5 * right + 0.8 * down) * depth * SIDE * 2.2, np.float32)


def blurred(mask: Plane, radius: float) -> Plane:
    """Soften a plane; the radius is a share of the side. Three means in a row come close to a Gaussian."""
    reach = max(1, round(radius * SIDE))
    around = _around(mask, 3 * (reach + 1))
    soft, part = np.zeros_like(mask), mask[around]
    for _ in range(3):
        part = _mean(_mean(part, reach).T, reach).T
    soft[around] = part
    return soft


def _around(mask: Plane, margin: int) -> tuple[slice, slice]:
    """Find the rows and columns that a shape takes up with a margin: beyond them nothing is to be softened."""
    places = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    down, right = (slice(max(0, at[0] - margin), at[-1] + margin + 1) if at.size else slice(0, 1) for at in places)
    return down, right


def _mean(plane: Plane, reach: int) -> Plane:
    """Average every pixel with its neighbors on both sides in its column."""
    padded = np.pad(plane, ((reach + 1, reach), (0, 0)), mode="edge")
    sums = np.cumsum(padded, axis=0, dtype=np.float64)
    return ((sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)).astype(np.float32)


def polygon(points: Sequence[Point]) -> Plane:
    """Fill a polygon."""
    plane = np.zeros((SIDE, SIDE), np.float32)
    corners = np.asarray(points, np.float64) * SIDE
    left, top = np.clip(np.floor(corners.min(0)).astype(int) - 1, 0, SIDE - 1)
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + 1, (left + 1, top + 1), SIDE)
    fine = Image.new("L", ((right - left) * _FINER, (bottom - top) * _FINER))
    moved = (corners - (left, top)) * _FINER
    ImageDraw.Draw(fine).polygon([(float(x), float(y)) for x, y in moved], fill=255)
    plane[top:bottom, left:right] = np.asarray(fine.reduce(_FINER), np.float32) / 255
    return plane


def smooth(points: Sequence[Point]) -> list[Point]:
    """Lead a closed curve through points (Catmull-Rom); a point that stands twice is a corner."""
    count, result = len(points), []
    for number in range(count):
        before, start, end, after = (np.asarray(points[(number + step) % count]) for step in (-1, 0, 1, 2))
        if np.array_equal(start, end):
            continue
        for step in range(_STEPS):
            at = step / _STEPS
            bend = (2 * before - 5 * start + 4 * end - after) * at**2 + (3 * start - before - 3 * end + after) * at**3
            x, y = 0.5 * (2 * start + (end - before) * at + bend)
            result.append((float(x), float(y)))
    return result


def shape(points: Sequence[Point]) -> Plane:
    """Fill a smooth closed curve through points; a point that stands twice is a corner."""
    return polygon(smooth(points))


def mirrored(points: Sequence[Point]) -> list[Point]:
    """Complete the right half of a shape, given from the top down, by its mirror image."""
    return [*points, *((1 - x, y) for x, y in reversed(points))]


def ellipse(x: float, y: float, width: float, height: float) -> Plane:
    """Fill an ellipse around a center."""
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    return polygon([(x + width / 2 * np.cos(a), y + height / 2 * np.sin(a)) for a in angles])


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> Plane:
    """Fill a rectangle with round corners."""
    quarter = np.linspace(0, np.pi / 2, 12)
    corners = ((right, bottom, 0.0), (left, bottom, 0.5), (left, top, 1.0), (right, top, 1.5))
    return polygon(
        [
            (
                x + np.cos(a + turn * np.pi) * radius - (radius if x == right else -radius),
                y + np.sin(a + turn * np.pi) * radius - (radius if y == bottom else -radius),
            )
            for x, y, turn in corners
            for a in quarter
        ]
    )


def stroke(points: Sequence[Point], width: float) -> Plane:
    """Draw a line of that width through points, round at its ends."""
    sides: tuple[list[Point], list[Point]] = ([], [])
    path = np.asarray(open_curve(points))
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
    for side, sign in zip(sides, (1, -1), strict=True):
        side.extend((float(x), float(y)) for x, y in path + sign * across * width / 2)
    line = polygon([*sides[0], *reversed(sides[1])])
    for x, y in (path[0], path[-1]):
        line = np.maximum(line, ellipse(x, y, width, width))
    return line


def open_curve(points: Sequence[Point]) -> list[Point]:
    """Lead a curve through points, from the first to the last."""
    there_and_back = smooth([points[0], *points, points[-1]])
    return [*there_and_back[: _STEPS * (len(points) - 1)], points[-1]]


def noise(seed: int, columns: int, rows: int) -> Plane:
    """Soft irregularity in [-1, 1]; many columns and few rows look like hanging folds."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (rows + 1, columns + 1)).astype(np.uint8)
    soft = Image.fromarray(coarse, "L").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(soft, np.float32) / 127.5 - 1


def across() -> Plane:
    """The x of every pixel."""
    return np.broadcast_to((np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE, (SIDE, SIDE))


def down() -> Plane:
    """The y of every pixel."""
    return across().T


def cylinder(left: float, right: float) -> Plane:
    """Light on an upright cylinder between two sides: 1 where it is brightest, 0.45 at its dark edge."""
    at = np.clip((across() - left) / (right - left), 0, 1)
    return np.asarray(0.45 + 0.6 * np.sin(np.pi * np.clip(at * 0.82 + 0.16, 0, 1)) ** 0.9, np.float32)
