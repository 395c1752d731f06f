"""The labeled photos that lie beside the project: what each shows, and which families are right for it."""

import csv
from dataclasses import dataclass
from pathlib import Path

SETS = ("mixed", "fashion-large", "electronics", "fashion-small")

_TOPS = "blazer blouse camisole cardigan henley hoodie jacket overcoat shirt sweater sweatshirt tee top t-shirt coat"
_BOTTOMS = "jeans leggings pants shorts skirt trousers"
_FOOTWEAR = "boot boots flats pump pumps sandal sandals shoe shoes sneaker sneakers"
_KIND_OF_WORD = {
    **dict.fromkeys(_TOPS.split(), "tops"),
    **dict.fromkeys(_BOTTOMS.split(), "bottoms"),
    "dress": "dresses",
    **dict.fromkeys(_FOOTWEAR.split(), "footwear"),
}
SEEN_IN_TRAINING = frozenset({"fashion-small", "electronics", "mixed"})
"""Sets whose labels the shipped model was made from: only held-out answers say how good it is on others like them."""
GARMENTS = frozenset({"tops", "bottoms", "dresses"})


@dataclass(frozen=True)
class Photo:
    """One labeled photo; `hexes` are what two people took the color for, where they were asked."""

    set_name: str
    file: Path
    product_type: str
    category: str | None
    kind: str
    primary: str
    acceptable: frozenset[str]
    multicolor: bool | None = None
    hexes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.set_name}/{self.file.name}"


def read_set(data: Path, name: str) -> list[Photo]:
    """Read the photos of a set in the order of its labels."""
    folder = data / name
    with (folder / "labels.csv").open(newline="") as labels:
        return [_READERS[name](folder / "images" / row["file"], row) for row in csv.DictReader(labels)]


def kind_of(product_type: str) -> str:
    """Tell garments and footwear from other goods, by the last word of the type that is known.

    >>> kind_of("Dress shirt"), kind_of("Maxi dress"), kind_of("Camera bag")
    ('tops', 'dresses', 'other goods')
    """
    known = [_KIND_OF_WORD[word] for word in product_type.lower().split() if word in _KIND_OF_WORD]
    return known[-1] if known else "other goods"


def _families(names: str) -> frozenset[str]:
    return frozenset(_family(name) for name in names.split())


def _family(name: str) -> str:
    return "gray" if name == "grey" else name


def _mixed(file: Path, row: dict[str, str]) -> Photo:
    return Photo(
        "mixed",
        file,
        row["product_type"],
        None,
        kind_of(row["product_type"]),
        _family(row["primary_family"]),
        _families(row["acceptable_families"]),
        None if row["multicolor_disputed"] == "1" else row["multicolor"] == "1",
        (row["hex_a"].upper(), row["hex_b"].upper()),
    )


def _fashion_large(file: Path, row: dict[str, str]) -> Photo:
    primary, acceptable = _family(row["primary_family"]), _families(row["acceptable_families"])
    return Photo("fashion-large", file, row["product_type"], row["category"], row["category"], primary, acceptable)


def _fashion_small(file: Path, row: dict[str, str]) -> Photo:
    primary, acceptable = _family(row["primary_family"]), _families(row["acceptable_families"])
    return Photo("fashion-small", file, row["articleType"], row["subCategory"], row["subCategory"], primary, acceptable)


def _electronics(file: Path, row: dict[str, str]) -> Photo:
    """The title names the color, so the analysis must not see it."""
    family = _family(row["title_color_family"])
    return Photo("electronics", file, "Electronics", "Electronics", "electronics", family, frozenset({family}))


_READERS = {
    "mixed": _mixed,
    "fashion-large": _fashion_large,
    "electronics": _electronics,
    "fashion-small": _fashion_small,
}
