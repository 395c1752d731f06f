"""The colors of a batch as one picture: a strip for each image, its palette from top to bottom. Pure.

A picture keeps its colors where a mail program changes those of the page, as some do in the dark.
Source of the format: PNG (W3C, third edition), sections 5 and 11.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Final

from schemas.classification import Classification
from schemas.results import ResultItem
from schemas.results_words import FAMILY_HEX

WIDTH: Final = 1168
HEIGHT: Final = 112
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_ORDER: Final = {family: number for number, family in enumerate(FAMILY_HEX)}


def strips_png(items: Sequence[ResultItem]) -> bytes | None:
    """Draw the strips, `WIDTH` by `HEIGHT` pixels, in the order of their colors; None where nothing was classified."""
    found = sorted((item.classification for item in items if item.classification), key=_place)
    if not found:
        return None
    columns = [_column(each) for each in found]
    widths = [WIDTH * (number + 1) // len(columns) - WIDTH * number // len(columns) for number in range(len(columns))]
    rows = (
        b"\0" + b"".join(column[row] * width for column, width in zip(columns, widths, strict=True))
        for row in range(HEIGHT)
    )
    return _png(b"".join(rows))


def _place(found: Classification) -> tuple[int, float, str]:
    return _ORDER.get(found.primary.family, len(_ORDER)), -found.primary.oklch[0], found.primary.hex


def _column(found: Classification) -> list[bytes]:
    """The color of each row: the main color on top, then the others by their share."""
    colors = [(entry.hex, entry.share) for entry in found.palette if entry.hex != found.primary.hex]
    first = next((entry.share for entry in found.palette if entry.hex == found.primary.hex), found.primary.share)
    stack = [(found.primary.hex, max(first, 0.01)), *colors]
    total = sum(share for _, share in stack)
    column: list[bytes] = []
    seen = 0.0
    for color, share in stack:
        seen += share
        column += [bytes.fromhex(color[1:])] * (round(HEIGHT * seen / total) - len(column))
    return column


def _png(rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
