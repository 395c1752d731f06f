"""What a person sees while and after: a progress bar, blocks of color, tables. Nothing in a text acts on a terminal."""

import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from services.progress import Progress

_PLAIN_SECONDS: Final = 5.0
_BAR_CELLS: Final = 28


class ProgressBar:
    """One line that grows on a terminal, and a line now and then elsewhere."""

    def __init__(self, stream: TextIO, *, fancy: bool | None = None) -> None:
        self._stream = stream
        self._fancy = stream.isatty() if fancy is None else fancy
        self._began = self._said_at = time.monotonic()
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Show how far it is."""
        finished = progress.done == progress.total
        if self._fancy:
            width = shutil.get_terminal_size().columns
            self._write(f"\r\x1b[2K{bar_line(progress, self._unicode())[: width - 1]}")
        elif progress != self._last and (self._last is None or finished or self._is_due()):
            self._write(f"{plain_line(progress)}\n")
            self._said_at = time.monotonic()
        self._last = progress

    def close(self) -> None:
        """End the line."""
        if self._fancy and self._last is not None:
            self._write(f"  {time.monotonic() - self._began:.1f} s\n")

    def _is_due(self) -> bool:
        return time.monotonic() - self._said_at >= _PLAIN_SECONDS

    def _unicode(self) -> bool:
        return "utf" in (self._stream.encoding or "").lower()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def bar_line(progress: Progress, unicode: bool = True) -> str:  # noqa: FBT001, FBT002  # a property of the stream
    """Draw the bar.

    >>> bar_line(Progress(total=4, accepted=4, succeeded=1, failed=1), unicode=False)
    '[##############..............]  50 %  2/4 images, 1 failed'
    """
    share = progress.done / max(1, progress.total)
    full, empty = ("━", "╌") if unicode else ("#", ".")
    filled = round(share * _BAR_CELLS)
    drawn = full * filled + empty * (_BAR_CELLS - filled)
    counts = f"{progress.done}/{progress.total} images{_failures(progress)}"
    return f"{drawn if unicode else f'[{drawn}]'} {100 * share:3.0f} %  {counts}"


def plain_line(progress: Progress) -> str:
    """Say the same in words.

    >>> plain_line(Progress(total=4, accepted=4, succeeded=1, failed=1))
    '2/4 images done, 1 failed'
    """
    return f"{progress.done}/{progress.total} images done{_failures(progress)}"


def _failures(progress: Progress) -> str:
    return f", {progress.failed} failed" if progress.failed else ""


def has_true_color(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether blocks of any color can be shown."""
    return (
        stream.isatty()
        and not environment.get("NO_COLOR")
        and environment.get("COLORTERM", "").lower() in {"truecolor", "24bit"}
    )


def block(hex_color: str | None) -> str:
    r"""Draw a block of that color, two letters wide; two blanks for none.

    >>> block("#FF8000")
    '\x1b[48;2;255;128;0m  \x1b[0m'
    """
    if hex_color is None:
        return "  "
    red, green, blue = bytes.fromhex(hex_color.lstrip("#"))
    return f"\x1b[48;2;{red};{green};{blue}m  \x1b[0m"


def printable(text: str, width: int) -> str:
    r"""Cut a text to a width and take out whatever could act on a terminal or turn the line around.

    >>> printable("a\x1b[2Jb", 8)
    'a�[2Jb'
    """
    clean = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[: 4 * width])
    if columns(clean) <= width:
        return clean
    while clean and columns(clean) > width - 1:
        clean = clean[:-1]
    return f"{clean}…"


def columns(text: str) -> int:
    """Count the columns that a text takes; East Asian letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], blocks: Sequence[Sequence[str | None]] = ()) -> str:
    """Lay out rows in columns; `blocks` are colors to draw at the beginning of each row."""
    widths = [max(columns(row[number]) for row in (header, *rows)) for number in range(len(header))]
    colored = [f"{''.join(block(color) for color in colors)} " for colors in blocks] or [""] * len(rows)
    margin = " " * (2 * len(blocks[0]) + 1) if blocks else ""
    lines = [f"{margin}{_line(header, widths)}", f"{margin}{_line(['─' * width for width in widths], widths)}"]
    return "\n".join([*lines, *(f"{mark}{_line(row, widths)}" for mark, row in zip(colored, rows, strict=True))])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def say(line: str, stream: TextIO | None = None) -> None:
    """Write one line; letters that the stream cannot show become question marks."""
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    stream.write(f"{line}\n".encode(encoding, "replace").decode(encoding))
    stream.flush()
