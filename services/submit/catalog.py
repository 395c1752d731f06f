"""The catalog of a submission: its rows as images to submit."""

import re
from pathlib import Path
from typing import Final

from schemas.events import ImageFields
from schemas.fields import IMAGE_URL_PATTERN, MAX_URL
from services.catalog import Column, content_of, custom_id_problem, hex_problem, quoted, rows_of, text_problem

_URL: Final = re.compile(IMAGE_URL_PATTERN)
_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")


def read_catalog(path: Path, *, lenient: bool = False) -> list[ImageFields]:
    """Read the images of a CSV file in order; raises `CatalogError`."""
    return parse_catalog(content_of(path), lenient=lenient)


def parse_catalog(content: bytes, *, lenient: bool = False) -> list[ImageFields]:
    """Read the images of a CSV document in order; raises `CatalogError`."""
    return [ImageFields.model_validate(row) for row in rows_of(content, _columns(lenient=lenient))]


def _columns(*, lenient: bool) -> tuple[Column, ...]:
    return (
        Column("image_path", _url_problem),
        Column("product_type", text_problem),
        Column("hex_color_label", hex_problem, named=not lenient, filled=not lenient),
        Column("category", text_problem, named=not lenient, filled=not lenient),
        Column("custom_id", custom_id_problem, named=False, filled=False),
    )


def _url_problem(value: str) -> str | None:
    if _URL.fullmatch(value):
        return f"is longer than {MAX_URL} characters" if len(value) > MAX_URL else None
    scheme = _SCHEME.match(value)
    if scheme and scheme.group(1).lower() in {"http", "https"}:
        return f"is not a URL: {quoted(value)}"
    if scheme and scheme.group(1).lower() != "file" and not re.match(r"^[A-Za-z]:\\", value):
        return f"begins with {scheme.group(1)}: and only http and https URLs can be fetched"
    return (
        f"is a file on this machine, {quoted(value)}, and images are fetched by URL: "
        "put it on a web server and write its http or https URL"
    )
