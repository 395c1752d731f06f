"""From the rows of a catalog to the images to submit, or a list of what to mend, by line. Pure but for the file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from schemas.events import ImageFields
from schemas.fields import BUCKET_PATH_PATTERN, IMAGE_URL_PATTERN, MAX_URL
from services.catalog import CatalogError, Form, content_of, form_of, problems_of, quoted, rows_of

REQUIRED: Final = ("image_path", "product_type", "hex_color_label", "category")
OPTIONAL_WHEN_LENIENT: Final = frozenset({"hex_color_label", "category"})
_URL: Final = re.compile(IMAGE_URL_PATTERN)
_BUCKET: Final = re.compile(BUCKET_PATH_PATTERN)
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
    buckets: bool = False
    """Images may lie in buckets, where the endpoint reads some."""

    @property
    def needed(self) -> list[str]:
        """The members that every row has."""
        return [name for name in REQUIRED if not (self.lenient and name in OPTIONAL_WHEN_LENIENT)]


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
    images: list[ImageFields] = []
    broken: list[str] = []
    for row in rows_of(content, form, wanted.columns, wanted.needed):
        addressed = replace(row, values=_with_address(row.values, wanted.address_of))
        problems = problems_of(addressed, _bucket_problem if wanted.buckets else _url_problem, wanted.needed)
        broken += problems
        if not problems:
            images.append(_image(addressed.values))
    if broken and not wanted.skip_broken:
        raise CatalogError(broken)
    if not images:
        raise CatalogError(broken or ["the catalog has no rows"])
    return Catalog(images, broken)


def _image(values: Mapping[str, str]) -> ImageFields:
    return ImageFields.model_validate({name: value or None for name, value in values.items()})


def _with_address(values: Mapping[str, str], address_of: AddressOf | None) -> Mapping[str, str]:
    """Put the URL in the place of a file of this machine."""
    path = values.get("image_path", "")
    if address_of is None or not path or _URL.fullmatch(path):
        return values
    return {**values, "image_path": address_of(path) or path}


def _bucket_problem(value: str) -> str | None:
    """Judge a path where images may lie in buckets; in which, the endpoint knows."""
    return None if len(value) <= MAX_URL and _BUCKET.fullmatch(value) else _url_problem(value)


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
