"""Reading a catalog: a file becomes rows of checked cells, or a list of what to mend, by line."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.fields import FREE_TEXT_PATTERN, HEX_COLOR_LABEL_PATTERN, MAX_CUSTOM_ID, MAX_TEXT
from services.catalog_rows import CatalogError, Form, Row, read_rows

_FREE_TEXT: Final = re.compile(FREE_TEXT_PATTERN)
_HEX: Final = re.compile(HEX_COLOR_LABEL_PATTERN)
_BARE_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")

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
    called: str | None = None
    """What the catalog calls it, where that is something else."""
    read: Callable[[str], str] = str
    """Makes of a cell what is checked."""


@dataclass(frozen=True)
class Checked:
    """One row: its cells, None for an empty one, or why it cannot be used, with the place in each sentence."""

    values: Mapping[str, str | None]
    problems: Sequence[str] = ()


def content_of(path: Path) -> bytes:
    """Read a catalog's bytes; raises `CatalogError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogError([f"{path} cannot be read: {error.strerror}"]) from error


def rows_of(content: bytes, columns: Sequence[Column], form: Form = "csv") -> list[dict[str, str | None]]:
    """Read the rows of a document in order, trimmed, None for an empty cell; raises `CatalogError`."""
    rows = checked_rows(content, columns, form)
    if problems := [problem for row in rows for problem in row.problems]:
        raise CatalogError(problems)
    return [dict(row.values) for row in rows]


def checked_rows(content: bytes, columns: Sequence[Column], form: Form = "csv") -> list[Checked]:
    """Read all rows, those with problems too; raises `CatalogError` where there is none or nothing can be read."""
    names = {column.name: column.called or column.name for column in columns}
    needed = [column.name for column in columns if column.named]
    rows = [_checked(row, columns) for row in read_rows(content, form, names, needed)]
    if not rows:
        raise CatalogError([f"the catalog has no rows{' below its header' if form == 'csv' else ''}"])
    return rows


def _checked(row: Row, columns: Sequence[Column]) -> Checked:
    if row.broken:
        return Checked({}, [f"{row.place}: {row.broken}"])
    values = {column.name: column.read(row.values[column.name]) for column in columns}
    problems = [f"{row.place}: {problem}" for problem in _problems(values, columns)]
    return Checked({name: value or None for name, value in values.items()}, problems)


def _problems(values: Mapping[str, str], columns: Sequence[Column]) -> Iterator[str]:
    for column in columns:
        value = values[column.name]
        if value and (problem := column.check(value)):
            yield f"{column.name} {problem}"
        elif not value and column.filled:
            yield f"{column.name} is missing"


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
