"""From the free text of a product type to what it tells about the photo."""

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal, cast, get_args

Group = Literal["top", "bottom", "dress", "shoes", "eyewear", "watch", "other"]
GROUPS: Final = cast("tuple[Group, ...]", get_args(Group))

WORDS_FILE: Final = "group_words.csv"
"""Words that tell a group; those of the group "other" keep a "shoe rack" from being a shoe."""
_PICTURES: Final = frozenset({"album", "book", "comic", "cover", "magazine", "painting", "postcard", "poster"})
_WORD: Final = re.compile(r"[^\W\d_]+")
_ASIDE: Final = re.compile(r"\b(?:with|for|in|from|of|by|and)\b|[(,;:|/&+]")
_JOINED: Final = re.compile(r"\b(t|tee|sweat|over|flip|track|wrist|sun|jump|trench|under|turtle)[ -]+(?=[^\W\d_])")


@dataclass(frozen=True)
class Kind:
    """What a product type tells: the group, its words in the singular, and whether the product is the whole picture."""

    group: Group
    words: frozenset[str]
    is_picture: bool


def kind_of(product_type: str | None, category: str | None = None) -> Kind:
    """Read a product type, and a category where the type does not tell the group."""
    words = frozenset(word.removesuffix("s") for word in _WORD.findall(_joined(product_type)))
    return Kind(group_of(product_type, category), words, bool(words & _PICTURES))


def group_of(product_type: str | None, category: str | None = None) -> Group:
    """Find the group by the last word that tells one, first of the type, then of the category.

    >>> group_of("Dress shirt"), group_of("Shirt dress"), group_of("Shoe rack"), group_of("Linen T-Shirt for men")
    ('top', 'dress', 'other', 'top')
    """
    return _told(product_type) or _told(category) or "other"


@cache
def _group_of_word() -> dict[str, Group]:
    text = (resources.files(__package__) / WORDS_FILE).read_text(encoding="utf-8")
    group_named = {str(group): group for group in GROUPS}
    return {row["word"]: group_named[row["group"]] for row in csv.DictReader(text.splitlines())}


def _joined(text: str | None) -> str:
    return _JOINED.sub(r"\1", (text or "").casefold())


def _told(text: str | None) -> Group | None:
    """Read the words before an aside such as "with pockets", the last one first."""
    lowered = _joined(text)
    head = _ASIDE.split(lowered.strip(), maxsplit=1)[0]
    known = _group_of_word()
    for word in reversed(_WORD.findall(head) or _WORD.findall(lowered)):
        for form in (word, word.removesuffix("s"), word.removesuffix("es")):
            if form in known:
                return known[form]
    return None
