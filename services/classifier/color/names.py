"""Names of colors: about eighty that shops use, and thousands that are published for every shade."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.analysis import FAMILIES, Family
from services.classifier.color.ciede2000 import ciede2000
from services.classifier.color.cielab import lab_from_srgb
from services.classifier.color.hexes import srgb_from_hex
from services.classifier.color.oklab import Floats, oklab_from_srgb

_NAME_REACH: Final = 5.0
COMMERCE_NAMES_FILE: Final = "commerce_names.csv"
FINE_NAMES_FILE: Final = "fine_names.csv"
"""color-names by David Aerne (github.com/meodai/color-names), the list "best of"; MIT, see fine_names_license.txt."""


@dataclass(frozen=True, eq=False)
class CommerceNames:
    """The names that shops use, each of one family and with its reference color."""

    names: tuple[str, ...]
    families: tuple[Family, ...]
    lab: Floats


@dataclass(frozen=True, eq=False)
class FineNames:
    """Published names and their colors (n, 4): OKLab, and half its squared length, negative.

    The largest product with (OKLab, 1) is then that of the nearest.
    """

    names: tuple[str, ...]
    points: Floats


def _rows(file_name: str) -> list[dict[str, str]]:
    text = (resources.files(__package__) / file_name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def commerce_names() -> CommerceNames:
    """Read the names that shops use."""
    rows = _rows(COMMERCE_NAMES_FILE)
    family_named = {str(family): family for family in FAMILIES}
    families = tuple(family_named[row["family"]] for row in rows)
    lab = lab_from_srgb(np.stack([srgb_from_hex(row["hex"]) for row in rows]))
    return CommerceNames(tuple(row["name"] for row in rows), families, lab)


@cache
def fine_names() -> FineNames:
    """Read the published list."""
    text = (resources.files(__package__) / FINE_NAMES_FILE).read_text(encoding="utf-8")
    pairs = [line.rsplit(",", 1) for line in text.splitlines()[1:]]
    packed = np.array([int(pair[1], 16) for pair in pairs])
    rgb = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1)
    oklab = oklab_from_srgb(rgb / 255.0)
    return FineNames(tuple(pair[0] for pair in pairs), np.column_stack([oklab, -(oklab**2).sum(axis=1) / 2]))


def family_likeness(lab: Floats) -> Floats:
    """Give the probability (n, 12) that each of some single colors (n, 3) is called by each family.

    What counts is the CIEDE2000 difference to the nearest name of a family.
    """
    return likeness_of(names_apart(lab))


def names_apart(lab: Floats) -> Floats:
    """Give the CIEDE2000 difference (n, names) of some colors (n, 3) to each shop name."""
    return ciede2000(commerce_names().lab, lab[:, None])


def names_and_first_apart(lab: Floats) -> tuple[Floats, Floats]:
    """Give the same, and the difference (n) of the colors to the first of them, at little more cost."""
    apart = ciede2000(np.concatenate([commerce_names().lab, lab[:1]]), lab[:, None])
    return apart[:, :-1], apart[:, -1]


def likeness_of(apart: Floats) -> Floats:
    """Give the probability (n, 12) that colors with these differences to the shop names are called by each family."""
    order, starts = _by_family()
    nearest = np.minimum.reduceat(apart.take(order, axis=1), starts, axis=1) ** 2
    likeness = np.exp((nearest.min(axis=1, keepdims=True) - nearest) / (2 * _NAME_REACH**2))
    probabilities: Floats = likeness / likeness.sum(axis=1, keepdims=True)
    return probabilities


@cache
def _by_family() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order the shop names by family, and tell where each family begins."""
    groups = [_named(family) for family in FAMILIES]
    return np.concatenate([np.array(group) for group in groups]), np.cumsum([0, *map(len, groups[:-1])])


@cache
def _named(family: Family) -> tuple[int, ...]:
    return tuple(index for index, other in enumerate(commerce_names().families) if other == family)


def nearest_family(lab: Floats) -> Family:
    """Give the family of the shop name that is nearest to a color, L*a*b* (3), by CIEDE2000."""
    known = commerce_names()
    return known.families[int(ciede2000(known.lab, lab).argmin())]


def commerce_name(apart: Floats, family: Family) -> str:
    """Give the nearest shop name of a family to a color with these differences (names) to all."""
    of_family = _named(family)
    return commerce_names().names[of_family[int(apart[list(of_family)].argmin())]]


def fine_name(oklab: Floats) -> str:
    """Give the nearest published name of a color in OKLab (3)."""
    known = fine_names()
    return known.names[int((known.points @ np.append(oklab, 1.0)).argmax())]
