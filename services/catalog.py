"""Reading a catalog: a CSV file becomes rows of checked cells, or a list of what to mend, by line."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.fields import FREE_TEXT_PATTERN, HEX_COLOR_LABEL_PATTERN, MAX_CUSTOM_ID, MAX_TEXT

_SHOWN: Final = 20
_FREE_TEXT: Final = re.compile(FREE_TEXT_PATTERN)
_HEX: Final = re.compile(HEX_COLOR_LABEL_PATTERN)
_BARE_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_ENCODINGS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a spreadsheet"}

Check = Callable[[str], str | None]
"""Says what is wrong with a cell, as the end of a sentence that begins with the name of its column."""


@dataclass(frozen=True)
class Column:
    """A column that is read; others are ignored."""

    name: str
    check: Check
    named: bool = True
    """Whether the header must name it."""
    filled: bool = True
    """Whether each row must fill it."""


class CatalogError(Exception):
    """The catalog cannot be used; the message says line by line what to mend."""

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:_SHOWN])
        if len(problems) > _SHOWN:
            shown.append(f"and {len(problems) - _SHOWN} more")
        super().__init__("\n".join(shown))
        self.problems = problems


@dataclass(frozen=True)
class _Row:
    line: int
    values: Mapping[str, str]
    broken: str | None = None


def content_of(path: Path) -> bytes:
    """Read a catalog's bytes; raises `CatalogError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogError([f"{path} cannot be read: {error.strerror}"]) from error


def rows_of(content: bytes, columns: Sequence[Column]) -> list[dict[str, str | None]]:
    """Read the rows of a CSV document in order, trimmed, None for an empty cell; raises `CatalogError`."""
    rows = list(_rows(_text(content), columns))
    problems = [problem for row in rows for problem in _problems(row, columns)]
    if problems:
        raise CatalogError(problems)
    if not rows:
        raise CatalogError(["the catalog has no rows below its header"])
    return [{name: value or None for name, value in row.values.items()} for row in rows]


def _text(content: bytes) -> str:
    for mark, kind in _ENCODINGS.items():
        if content.startswith(mark):
            raise CatalogError([f"the catalog is {kind}, not a CSV file in UTF-8; save it as “CSV UTF-8”"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CatalogError([f"line {line}: a letter is not UTF-8; save the catalog as “CSV UTF-8”"]) from error


def _rows(text: str, columns: Sequence[Column]) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0]), strict=True)
    line = 1
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header, columns)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(line, header, cells, columns)
            line = reader.line_num + 1
    except csv.Error as error:
        raise CatalogError([f"line {line}: the row cannot be read: {error}"]) from error


def _delimiter(header: str) -> str:
    """Tell commas from what some spreadsheets write instead."""
    return max(",;\t", key=header.count)


def _check_header(header: Sequence[str], columns: Sequence[Column]) -> None:
    missing = [column.name for column in columns if column.named and column.name not in header]
    if missing:
        found = quoted(", ".join(header), 200)[1:-1] or "nothing"
        raise CatalogError([f"line 1: no column {' and no column '.join(missing)}; the header names {found}"])
    doubled = [column.name for column in columns if header.count(column.name) > 1]
    if doubled:
        raise CatalogError([f"line 1: two columns are called {doubled[0]}"])


def _row(line: int, header: Sequence[str], cells: Sequence[str], columns: Sequence[Column]) -> _Row:
    if len(cells) != len(header):
        return _Row(line, {}, f"{len(cells)} cells where the header has {len(header)}; is a comma or a quote missing?")
    found = dict(zip(header, cells, strict=True))
    return _Row(line, {column.name: found.get(column.name, "").strip() for column in columns})


def _problems(row: _Row, columns: Sequence[Column]) -> Iterator[str]:
    if row.broken:
        yield f"line {row.line}: {row.broken}"
        return
    for column in columns:
        value = row.values[column.name]
        if value and (problem := column.check(value)):
            yield f"line {row.line}: {column.name} {problem}"
        elif not value and column.filled:
            yield f"line {row.line}: {column.name} is missing"


def text_problem(value: str) -> str | None:
    """Check free text, as the endpoint does."""
    if len(value) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    return None if _FREE_TEXT.fullmatch(value) else "has a control character, such as a line break"


def hex_problem(value: str) -> str | None:
    """Check a color label, as the endpoint does."""
    if _HEX.fullmatch(value):
        return None
    advice = f"write #{value}" if _BARE_HEX.fullmatch(value) else "write a code such as #FF0000"
    return f"is {quoted(value)}; {advice}"


def custom_id_problem(value: str) -> str | None:
    """Check an id of the customer's own, as the endpoint does."""
    if len(value) > MAX_CUSTOM_ID:
        return f"is longer than {MAX_CUSTOM_ID} characters"
    return None if _FREE_TEXT.fullmatch(value) else "has a control character"


def quoted(value: str, width: int = 60) -> str:
    """Show a value in a message: as ASCII, so that nothing in it acts on a terminal."""
    return ascii(value if len(value) <= width else f"{value[: width - 1]}…").replace("\\u2026", "…")
