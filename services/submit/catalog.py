"""The catalog of a submission: its rows as images to submit."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.events import ImageFields
from schemas.fields import IMAGE_URL_PATTERN, MAX_URL
from services.catalog import (
    Column,
    checked_rows,
    content_of,
    custom_id_problem,
    hex_problem,
    quoted,
    text_problem,
)
from services.catalog_rows import CatalogError, Form, form_of

MEMBERS: Final = ("image_path", "product_type", "hex_color_label", "category", "custom_id")
_URL: Final = re.compile(IMAGE_URL_PATTERN)
_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")

AddressOf = Callable[[str], str | None]
"""From a path of the catalog to the URL at which this machine serves that file, if it does."""


@dataclass(frozen=True)
class Wanted:
    """How a catalog is read."""

    lenient: bool = False
    """Labels and categories may be absent."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What the catalog calls a member."""
    skip_broken: bool = False
    """Rows that cannot be submitted are left out, and named."""
    address_of: AddressOf | None = None


@dataclass(frozen=True)
class Catalog:
    """Images in the order of their rows, and what was left out."""

    images: Sequence[ImageFields]
    broken: Sequence[str] = ()


def read_catalog(path: Path, wanted: Wanted) -> Catalog:
    """Read a file, whose form its name tells; raises `CatalogError`."""
    return parse_catalog(content_of(path), wanted, form_of(path.suffix))


def parse_catalog(content: bytes, wanted: Wanted, form: Form = "csv") -> Catalog:
    """Read a document; raises `CatalogError`."""
    rows = checked_rows(content, _columns(wanted), form)
    broken = [problem for row in rows for problem in row.problems]
    images = [ImageFields.model_validate(row.values) for row in rows if not row.problems]
    if broken and (not wanted.skip_broken or not images):
        raise CatalogError(broken)
    return Catalog(images, broken)


def _columns(wanted: Wanted) -> tuple[Column, ...]:
    called, strict = wanted.columns, not wanted.lenient

    def address(value: str) -> str:
        """Put the URL in the place of a file of this machine."""
        served = wanted.address_of(value) if wanted.address_of and value and not _URL.fullmatch(value) else None
        return served or value

    return (
        Column("image_path", _url_problem, called=called.get("image_path"), read=address),
        Column("product_type", text_problem, called=called.get("product_type")),
        Column("hex_color_label", hex_problem, strict, strict, called.get("hex_color_label")),
        Column("category", text_problem, strict, strict, called.get("category")),
        Column("custom_id", custom_id_problem, named=False, filled=False, called=called.get("custom_id")),
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
        f"is a file on this machine, {quoted(value)}, and images are fetched by URL: put it on a web server "
        "and write its http or https URL, or, with `huestream local`, name its folder with --files"
    )
