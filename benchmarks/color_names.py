"""The family of one color by the XKCD color survey: its nearest among the names that people gave most often.

The survey's names with their colors, rarest first (xkcd.com/color/rgb, CC0), come with Matplotlib. The 48 most common
ones are used, and white, which is rarer there. A name counts for the family of its last word that is known ("navy blue"
is a blue). Nearest is by CIE 1976 difference in L*a*b*. Chosen in favor of the peers: on the color that people saw in
the photos of `mixed` it is right for .89 (with all 949 names for .61), and it gives the peers their best figures.
"""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from matplotlib.colors import XKCD_COLORS, to_rgb

_WORDS = {
    "black": "black",
    "white": "white",
    "gray": "grey",
    "red": "red maroon",
    "orange": "orange peach salmon",
    "yellow": "yellow mustard gold",
    "green": "green olive lime",
    "blue": "blue navy cyan teal turquoise aqua periwinkle",
    "purple": "purple violet lavender lilac mauve indigo",
    "pink": "pink magenta rose",
    "brown": "brown tan",
    "beige": "beige",
}
_MOST_COMMON = 48
_FAMILY_OF_WORD = {word: family for family, words in _WORDS.items() for word in words.split()}


def families_of(colors: Sequence[tuple[int, int, int]]) -> list[str]:
    """Name colors, sRGB in [0, 255].

    >>> families_of([(255, 255, 255), (20, 30, 90), (200, 30, 40)])
    ['white', 'blue', 'red']
    """
    if not colors:
        return []
    families, known = _survey()
    distances = ((_lab(np.array(colors) / 255)[:, None] - known[None]) ** 2).sum(axis=-1)
    return [families[index] for index in distances.argmin(axis=1)]


@cache
def _survey() -> tuple[list[str], np.ndarray]:
    names = {*list(XKCD_COLORS)[-_MOST_COMMON:], "xkcd:white"}
    named = [(_family(name), to_rgb(color)) for name, color in XKCD_COLORS.items() if name in names]
    kept = [(family, rgb) for family, rgb in named if family]
    return [family for family, _ in kept], _lab(np.array([rgb for _, rgb in kept]))


def _family(name: str) -> str | None:
    words = name.removeprefix("xkcd:").replace("/", " ").replace("-", " ").split()
    return next((_FAMILY_OF_WORD[word] for word in reversed(words) if word in _FAMILY_OF_WORD), None)


def _lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb.astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
