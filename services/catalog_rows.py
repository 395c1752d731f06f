"""The rows of a catalog file, as spreadsheets and programs write it: CSV, JSON or NDJSON. Pure."""

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["csv", "json", "ndjson"]
_FORMS: Final[Mapping[str, Form]] = {".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_SHOWN: Final = 20


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


def form_of(suffix: str) -> Form:
    """Tell the form by the ending of the file's name."""
    return _FORMS.get(suffix.lower(), "csv")


def read_rows(content: bytes, form: Form, names: Mapping[str, str], needed: Collection[str]) -> Iterator[Row]:
    """Read all rows; `names` says what the file calls each member. Raises `CatalogError` where nothing can go on."""
    text = _text(content)
    if form == "csv":
        return _csv_rows(text, {member: name.strip().lower() for member, name in names.items()}, needed)
    return _json_rows(text, names) if form == "json" else _ndjson_rows(text, names)


def _text(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise CatalogError(["the catalog is a spreadsheet; save it as “CSV UTF-8”"])
    encoding = "utf-16" if content.startswith(_UTF16) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        kind = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise CatalogError([f"line {line}: a letter is not {kind}; save the catalog as “CSV UTF-8”"]) from error


def _csv_rows(text: str, names: Mapping[str, str], needed: Collection[str]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0]), strict=True)
    line = 1
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header, names, needed)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _csv_row(line, header, names, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise CatalogError([f"line {line}: the row cannot be read: {error}"]) from error


def _delimiter(header: str) -> str:
    """Tell commas from what some spreadsheets write instead."""
    return max(",;\t", key=header.count)


def _check_header(header: Sequence[str], names: Mapping[str, str], needed: Collection[str]) -> None:
    missing = [ascii(name)[1:-1] for member, name in names.items() if member in needed and name not in header]
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
