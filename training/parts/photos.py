"""The photos that the part network learns from, by what they show."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Kind = Literal["top", "bottom", "dress", "goods"]

PERSON_SIZE: Final = (120, 160)
"""Width and height in pixels: the photos are stored square, but were taken at 3 to 4."""
GOODS_SIDE: Final = 160
_KINDS: Final[dict[str, Kind]] = {
    "Topwear": "top",
    "Innerwear": "top",
    "Loungewear and Nightwear": "top",
    "Bottomwear": "bottom",
    "Dress": "dress",
    "Saree": "dress",
    "Apparel Set": "dress",
}
_BOTTOM_TYPES: Final = frozenset({"Briefs", "Boxers", "Trunk", "Lounge Shorts", "Lounge Pants"})
_WHOLE_FIGURE_TYPES: Final = frozenset({"Dresses", "Kurta Sets", "Tracksuits", "Jumpsuit"})


@dataclass(frozen=True)
class Photo:
    """One photo of the development data."""

    path: Path
    kind: Kind
    square: bool
    """Whether it was squashed to a square."""


def listed(data: Path) -> list[Photo]:
    """List all photos to learn from, in a fixed order."""
    return [*_fashion(data / "fashion-small"), *_electronics(data / "electronics")]


def _fashion(folder: Path) -> Iterator[Photo]:
    for row in _rows(folder):
        yield Photo(folder / "images" / row["file"], _kind(row["subCategory"], row["articleType"]), square=True)


def _kind(category: str, product_type: str) -> Kind:
    if product_type in _BOTTOM_TYPES:
        return "bottom"
    return "dress" if product_type in _WHOLE_FIGURE_TYPES else _KINDS.get(category, "goods")


def _electronics(folder: Path) -> Iterator[Photo]:
    for row in _rows(folder):
        yield Photo(folder / "images" / row["file"], "goods", square=False)


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pixels(photo: Photo) -> Pixels:
    """Read a photo at the size to learn from, (height, width, 3), in its true proportions."""
    with Image.open(photo.path) as image:
        return np.asarray(image.convert("RGB").resize(_size(photo, image), Image.Resampling.BOX))


def _size(photo: Photo, image: Image.Image) -> tuple[int, int]:
    if photo.square:
        return PERSON_SIZE
    scale = GOODS_SIDE / max(image.size)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))
