"""What huestream says about labeled photos: the lines of `huestream analyze`, or lines that a training held out."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from color_sets import Photo

from services.analyze.images import LocalImage
from services.analyze.workers import lines_of
from services.classifier.color.analysis import FAMILIES
from services.classifier.color.cielab import lab_from_srgb
from services.classifier.color.names import family_likeness

Answer = Mapping[str, Any]
"""The member `classification` of a result."""


def image_of(photo: Photo, label: str | None = None) -> LocalImage:
    return LocalImage(photo.file, photo.key, photo.product_type or None, label, photo.category)


def without_type(photos: Iterable[Photo]) -> list[Photo]:
    """Withhold what the photos show."""
    return [replace(photo, product_type="", category=None) for photo in photos]


def answers_of(images: Sequence[LocalImage], processes: int) -> list[Answer]:
    """Analyze images; a photo of ours that cannot be analyzed is an error of the benchmark."""
    found = []
    for image, line in zip(images, lines_of(images, processes), strict=True):
        item = json.loads(line.text)
        if item["error"]:
            raise SystemExit(f"{image.image_path}: {item['error']['message']}")
        found.append(item["classification"])
    return found


def held_out_answers(file: Path) -> dict[str, Answer]:
    """Read answers that a training wrote for photos that it held out: results whose `image_path` is set/file."""
    items = [json.loads(line) for line in file.read_text().splitlines()]
    return {item["image_path"]: item["classification"] for item in items}


def other_hexes(photos: Sequence[Photo]) -> dict[str, str]:
    """Draw a wrong label for each photo: the first hex of a photo none of whose families would be right for it."""
    return {
        photo.key: random.Random(photo.key).choice(  # noqa: S311  # a draw that anyone can repeat
            [other.hexes[0] for other in photos if not other.acceptable & photo.acceptable]
        )
        for photo in photos
    }


def own_families_of(colors: Sequence[tuple[int, int, int]]) -> list[str]:
    """Name single colors as huestream names a label, sRGB in [0, 255]."""
    if not colors:
        return []
    likeness = family_likeness(lab_from_srgb(np.array(colors) / 255))
    return [FAMILIES[index] for index in likeness.argmax(axis=1)]
