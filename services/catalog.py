"""Reading a catalog as spreadsheets and programs write it (CSV, JSON, NDJSON): rows, and what is wrong in them."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from schemas.fields import FREE_TEXT_PATTERN, HEX_COLOR_LABEL_PATTERN, MAX_CUSTOM_ID, MAX_TEXT

COLUMNS: Final = ("image_path", "product_type", "hex_color_label", "category", "custom_id")
Form = Literal["csv", "json", "ndjson"]
_FORMS: Final[Mapping[str, Form]] = {".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_SHOWN: Final = 20
_FREE_TEXT: Final = re.compile(FREE_TEXT_PATTERN)
_HEX: Final = re.compile(HEX_COLOR_LABEL_PATTERN)
_BARE_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")

Check = Callable[[str], str | None]
"""Says what is wrong with a value, as the end of a sentence that begins with the name of its member."""


class CatalogError(Exception):
    """The catalog cannot be used; the message says line by line what to mend."""

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:_SHOWN])
        if len(problems) > _SHOWN:
            shown.append(f"and {len(problems) - _SHOWN} more")
        super().__init__("\n".join(shown))
        self.problems = problems


@dataclass(frozen=True)
class Row:
    """One image as it stands in the file; `broken` says why it cannot even be read."""

    place: str
    """Where it stands, for people: `line 7` or `item 7`."""
    values: Mapping[str, str]
    broken: str | None = None


def content_of(path: Path) -> bytes:
    """Read a catalog's bytes; raises `CatalogError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogError([f"{path} cannot be read: {error.strerror}"]) from error


def form_of(suffix: str) -> Form:
    """Tell the form by the ending of the file's name."""
    return _FORMS.get(suffix.lower(), "csv")


def rows_of(content: bytes, form: Form, columns: Mapping[str, str], needed: Sequence[str]) -> Iterator[Row]:
    """Read all rows; `columns` says what the file calls a member. Raises `CatalogError` where nothing can go on."""
    text = _text(content)
    if form == "csv":
        return _csv_rows(text, {member: columns.get(member, member).strip().lower() for member in COLUMNS}, needed)
    names = {member: columns.get(member, member) for member in COLUMNS}
    return _json_rows(text, names) if form == "json" else _ndjson_rows(text, names)


def _text(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise CatalogError(["the catalog is a spreadsheet; save it as “CSV UTF-8”"])
    encoding = _encoding_of(content[:2])
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        kind = "UTF-16" if encoding.startswith("utf-16") else "UTF-8"
        raise CatalogError([f"line {line}: a letter is not {kind}; save the catalog as “CSV UTF-8”"]) from error


def _encoding_of(begin: bytes) -> str:
    """Tell the encoding by its mark, or by where the zero of the first letter is."""
    if begin in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if begin[1:] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if begin[:1] == b"\0" else "utf-8-sig"


def _csv_rows(text: str, names: Mapping[str, str], needed: Sequence[str]) -> Iterator[Row]:
    lines = _csv_lines(text)
    _, first, broken = next(lines, (1, [], None))
    if broken:
        raise CatalogError([f"line 1: {broken}"])
    header = [name.strip().lower() for name in first]
    _check_header(header, names, needed)
    for line, cells, broken in lines:
        if broken:
            yield Row(f"line {line}", {}, broken)
        elif any(cell.strip() for cell in cells):
            yield _csv_row(line, header, names, cells)


def _csv_lines(text: str) -> Iterator[tuple[int, Sequence[str], str | None]]:
    """Read row after row, each with the line where it begins, and why it cannot be read; the next one may be good."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0]), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader), None
        except StopIteration:
            return
        except csv.Error as error:
            yield line, (), f"the row cannot be read: {_csv_trouble(error)}"


def _csv_trouble(error: csv.Error) -> str:
    """Say what is wrong, and of a quote that nothing closes, what it costs."""
    said = str(error)
    if "unexpected end of data" in said:
        return "a quote opens in it that nothing closes, and takes in all that follows"
    return "a quote closes in the middle of a cell" if "expected after" in said else ascii(said)[1:-1]


def _delimiter(header: str) -> str:
    """Tell commas from what some spreadsheets write instead."""
    return max(",;\t", key=header.count)


def _check_header(header: Sequence[str], names: Mapping[str, str], needed: Sequence[str]) -> None:
    missing = [ascii(names[member])[1:-1] for member in needed if names[member] not in header]
    if missing:
        found = ascii(", ".join(header)[:200])[1:-1] or "nothing"
        raise CatalogError([f"line 1: no column {' and no column '.join(missing)}; the header names {found}"])
    doubled = [ascii(name)[1:-1] for name in names.values() if header.count(name) > 1]
    if doubled:
        raise CatalogError([f"line 1: two columns are called {doubled[0]}"])


def _csv_row(line: int, header: Sequence[str], names: Mapping[str, str], cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        broken = f"{len(cells)} cells where the header has {len(header)}; is a comma or a quote missing?"
        return Row(f"line {line}", {}, broken)
    found = dict(zip(header, cells, strict=True))
    return Row(f"line {line}", {member: found.get(name, "").strip() for member, name in names.items()})


def _json_rows(text: str, names: Mapping[str, str]) -> Iterator[Row]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise CatalogError([f"{where}the catalog is not JSON"]) from error
    if not isinstance(document, list):
        raise CatalogError(["the catalog is not a JSON list of objects"])
    return (_object_row(f"item {number}", item, names) for number, item in enumerate(document, start=1))


def _ndjson_rows(text: str, names: Mapping[str, str]) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                item = json.loads(line)
            except (ValueError, RecursionError):
                yield Row(f"line {number}", {}, "it is not JSON")
            else:
                yield _object_row(f"line {number}", item, names)


def _object_row(place: str, item: object, names: Mapping[str, str]) -> Row:
    if not isinstance(item, dict):
        return Row(place, {}, "it is not an object")
    values = {member: item.get(name) for member, name in names.items()}
    for member, value in values.items():
        if not isinstance(value, str | int | None) or isinstance(value, bool):
            return Row(place, {}, f"{member} is not text")
        if isinstance(value, str) and not value.isascii() and _has_surrogate(value):
            return Row(place, {}, f"{member} has half of a letter")
    return Row(place, {member: "" if value is None else str(value).strip() for member, value in values.items()})


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def problems_of(row: Row, path_problem: Check, needed: Sequence[str]) -> list[str]:
    """Say what is wrong with a row, each with the place where it stands; `path_problem` judges `image_path`."""
    if row.broken:
        return [f"{row.place}: {row.broken}"]
    return [
        f"{row.place}: {problem}" for problem in _problems(row.values, {**_CHECKS, "image_path": path_problem}, needed)
    ]


def _problems(values: Mapping[str, str], checks: Mapping[str, Check], needed: Sequence[str]) -> Iterator[str]:
    for name in COLUMNS:
        value = values[name]
        if value and (problem := checks[name](value)):
            yield f"{name} {problem}"
        elif not value and name in needed:
            yield f"{name} is missing"


def _text_problem(value: str) -> str | None:
    if len(value) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    return None if _FREE_TEXT.fullmatch(value) else "has a control character, such as a line break"


def _hex_problem(value: str) -> str | None:
    if _HEX.fullmatch(value):
        return None
    advice = f"write #{value}" if _BARE_HEX.fullmatch(value) else "write a code such as #FF0000"
    return f"is {quoted(value)}; {advice}"


def _custom_id_problem(value: str) -> str | None:
    if len(value) > MAX_CUSTOM_ID:
        return f"is longer than {MAX_CUSTOM_ID} characters"
    return None if _FREE_TEXT.fullmatch(value) else "has a control character"


_CHECKS: Final[Mapping[str, Check]] = {
    "product_type": _text_problem,
    "hex_color_label": _hex_problem,
    "category": _text_problem,
    "custom_id": _custom_id_problem,
}


def quoted(value: str) -> str:
    """Show a value in a message: as ASCII, so that nothing in it acts on a terminal."""
    return ascii(value if len(value) <= 60 else f"{value[:59]}…").replace("\\u2026", "…")
