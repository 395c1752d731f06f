"""Reading a catalog: a CSV file becomes images to submit, or a list of what to mend, by line. Pure but for the file."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.events import ImageFields
from schemas.fields import (
    FREE_TEXT_PATTERN,
    HEX_COLOR_LABEL_PATTERN,
    IMAGE_URL_PATTERN,
    MAX_CUSTOM_ID,
    MAX_TEXT,
    MAX_URL,
)

REQUIRED: Final = ("image_path", "product_type", "hex_color_label", "category")
OPTIONAL_WHEN_LENIENT: Final = frozenset({"hex_color_label", "category"})
_COLUMNS: Final = (*REQUIRED, "custom_id")
_SHOWN: Final = 20
_URL: Final = re.compile(IMAGE_URL_PATTERN)
_FREE_TEXT: Final = re.compile(FREE_TEXT_PATTERN)
_HEX: Final = re.compile(HEX_COLOR_LABEL_PATTERN)
_BARE_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_ENCODINGS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a spreadsheet"}


class CatalogError(Exception):
    """The catalog cannot be submitted; the message says line by line what to mend."""

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


def read_catalog(path: Path, *, lenient: bool = False) -> list[ImageFields]:
    """Read the images of a CSV file in order; raises `CatalogError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CatalogError([f"{path} cannot be read: {error.strerror}"]) from error
    return parse_catalog(content, lenient=lenient)


def parse_catalog(content: bytes, *, lenient: bool = False) -> list[ImageFields]:
    """Read the images of a CSV document in order; raises `CatalogError`."""
    rows = list(_rows(_text(content), lenient=lenient))
    problems = [problem for row in rows for problem in _problems(row, lenient=lenient)]
    if problems:
        raise CatalogError(problems)
    if not rows:
        raise CatalogError(["the catalog has no rows below its header"])
    return [ImageFields.model_validate({name: value or None for name, value in row.values.items()}) for row in rows]


def _text(content: bytes) -> str:
    for mark, kind in _ENCODINGS.items():
        if content.startswith(mark):
            raise CatalogError([f"the catalog is {kind}, not a CSV file in UTF-8; save it as “CSV UTF-8”"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CatalogError([f"line {line}: a letter is not UTF-8; save the catalog as “CSV UTF-8”"]) from error


def _rows(text: str, *, lenient: bool) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0]), strict=True)
    line = 1
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header, lenient=lenient)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise CatalogError([f"line {line}: the row cannot be read: {error}"]) from error


def _delimiter(header: str) -> str:
    """Tell commas from what some spreadsheets write instead."""
    return max(",;\t", key=header.count)


def _check_header(header: Sequence[str], *, lenient: bool) -> None:
    needed = [name for name in REQUIRED if not (lenient and name in OPTIONAL_WHEN_LENIENT)]
    missing = [name for name in needed if name not in header]
    if missing:
        found = ", ".join(header)[:200] or "nothing"
        raise CatalogError([f"line 1: no column {' and no column '.join(missing)}; the header names {found}"])
    doubled = [name for name in _COLUMNS if header.count(name) > 1]
    if doubled:
        raise CatalogError([f"line 1: two columns are called {doubled[0]}"])


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> _Row:
    if len(cells) != len(header):
        return _Row(line, {}, f"{len(cells)} cells where the header has {len(header)}; is a comma or a quote missing?")
    found = dict(zip(header, cells, strict=True))
    return _Row(line, {name: found.get(name, "").strip() for name in _COLUMNS})


def _problems(row: _Row, *, lenient: bool) -> Iterator[str]:
    if row.broken:
        yield f"line {row.line}: {row.broken}"
        return
    for name in _COLUMNS:
        value = row.values[name]
        if value and (problem := _CHECKS[name](value)):
            yield f"line {row.line}: {name} {problem}"
        elif not value and name in REQUIRED and not (lenient and name in OPTIONAL_WHEN_LENIENT):
            yield f"line {row.line}: {name} is missing"


def _url_problem(value: str) -> str | None:
    if _URL.fullmatch(value):
        return f"is longer than {MAX_URL} characters" if len(value) > MAX_URL else None
    scheme = _SCHEME.match(value)
    if scheme and scheme.group(1).lower() in {"http", "https"}:
        return f"is not a URL: {_quoted(value)}"
    if scheme and scheme.group(1).lower() != "file" and not re.match(r"^[A-Za-z]:\\", value):
        return f"begins with {scheme.group(1)}: and only http and https URLs can be fetched"
    return (
        f"is a file on this machine, {_quoted(value)}, and images are fetched by URL: "
        "put it on a web server and write its http or https URL"
    )


def _text_problem(value: str) -> str | None:
    if len(value) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    return None if _FREE_TEXT.fullmatch(value) else "has a control character, such as a line break"


def _hex_problem(value: str) -> str | None:
    if _HEX.fullmatch(value):
        return None
    advice = f"write #{value}" if _BARE_HEX.fullmatch(value) else "write a code such as #FF0000"
    return f"is {_quoted(value)}; {advice}"


def _custom_id_problem(value: str) -> str | None:
    if len(value) > MAX_CUSTOM_ID:
        return f"is longer than {MAX_CUSTOM_ID} characters"
    return None if _FREE_TEXT.fullmatch(value) else "has a control character"


_CHECKS: Final = {
    "image_path": _url_problem,
    "product_type": _text_problem,
    "hex_color_label": _hex_problem,
    "category": _text_problem,
    "custom_id": _custom_id_problem,
}


def _quoted(value: str) -> str:
    """Show a value in a message: as ASCII, so that nothing in it acts on a terminal."""
    return ascii(value if len(value) <= 60 else f"{value[:59]}…").replace("\\u2026", "…")
