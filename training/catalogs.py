"""Labeled photos: the development sets, or a shop's own catalog."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.classifier.color.analysis import FAMILIES, Family
from services.classifier.color.cielab import lab_from_srgb
from services.classifier.color.groups import Kind, kind_of
from services.classifier.color.hexes import srgb_from_hex
from services.classifier.color.names import commerce_names, nearest_family


class CatalogError(ValueError):
    """A label file cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Example:
    """One photo, the family that it is labeled with, and all families that are acceptable."""

    path: Path
    dataset: str
    product_type: str
    category: str
    family: Family
    acceptable: tuple[Family, ...]
    hexes: tuple[str, ...] = ()
    multicolor: bool | None = None
    metal: bool | None = None

    @property
    def kind(self) -> Kind:
        """What the product type tells."""
        return kind_of(self.product_type, self.category)


_FEWEST: Final = 10
METALS: Final = frozenset({"Silver", "Steel", "Gold", "Copper", "Bronze", "Metallic"})


def family_named(text: str) -> Family:
    """Read a family, British or American; raises `CatalogError`.

    >>> family_named("Grey")
    'gray'
    """
    lowered = text.strip().casefold().replace("grey", "gray")
    if lowered not in FAMILIES:
        raise CatalogError(f"{text!r} is not one of the families {', '.join(FAMILIES)}")
    return lowered


def _rows(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _acceptable(row: dict[str, str]) -> tuple[Family, ...]:
    return tuple(family_named(name) for name in row["acceptable_families"].split())


def fashion_small(data: Path) -> list[Example]:
    """Read the simple product photos with seller labels."""
    folder = data / "fashion-small"
    return [
        Example(
            folder / "images" / row["file"], "fashion-small", row["articleType"], row["subCategory"],
            family_named(row["primary_family"]), _acceptable(row), metal=row["baseColour"] in METALS,
        )
        for row in _rows(folder)
    ]  # fmt: skip


def fashion_large(data: Path) -> list[Example]:
    """Read the large photos on models with seller labels."""
    folder = data / "fashion-large"
    return [
        Example(
            folder / "images" / row["file"], "fashion-large", row["product_type"], row["category"],
            family_named(row["primary_family"]), _acceptable(row),
        )
        for row in _rows(folder)
    ]  # fmt: skip


def electronics(data: Path) -> list[Example]:
    """Read the electronics with the color word of their title."""
    folder = data / "electronics"
    return [
        Example(
            folder / "images" / row["file"], "electronics", "Electronics", "Electronics",
            family_named(row["title_color_family"]), (family_named(row["title_color_family"]),),
        )
        for row in _rows(folder)
    ]  # fmt: skip


def mixed(data: Path) -> list[Example]:
    """Read the mixed photos that were labeled twice by eye."""
    folder = data / "mixed"
    return [
        Example(
            folder / "images" / row["file"], "mixed", row["product_type"], "",
            family_named(row["primary_family"]), _acceptable(row),
            hexes=(row["hex_a"], row["hex_b"]), multicolor=row["multicolor"] == "1",
        )
        for row in _rows(folder)
    ]  # fmt: skip


def own_catalog(labels: Path, images: Path) -> list[Example]:
    """Read a shop's own labels: columns `file, color`, and optionally `product_type, category`.

    A color is a family, one of the shop names, or a hexadecimal color. Raises `CatalogError`.
    """
    with labels.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := {"file", "color"} - set(reader.fieldnames or ()):
            raise CatalogError(f"{labels.name} has no column {' and no column '.join(sorted(missing))}")
        examples = [_own_example(row, images, f"{labels.name}, line {reader.line_num}") for row in reader]
    if len(examples) < _FEWEST:
        raise CatalogError(f"{labels.name} has {len(examples)} labeled photos; {_FEWEST} are the least to learn from")
    return examples


def _own_example(row: dict[str, str], images: Path, place: str) -> Example:
    path = images / row["file"]
    if not path.is_file():
        raise CatalogError(f"{place}: there is no file {row['file']} among the images")
    try:
        family = family_of_color(row["color"])
    except (CatalogError, ValueError) as error:
        raise CatalogError(f"{place}: {error}") from error
    return Example(path, "own", row.get("product_type") or "", row.get("category") or "", family, (family,))


def family_of_color(text: str) -> Family:
    """Find the family of a family's name, of a shop name, or of a hexadecimal color; raises `ValueError`."""
    known = commerce_names()
    lowered = text.strip().casefold().replace("grey", "gray")
    if lowered in known.names:
        return known.families[known.names.index(lowered)]
    if lowered.startswith("#"):
        return nearest_family(lab_from_srgb(srgb_from_hex(lowered)))
    return family_named(lowered)
