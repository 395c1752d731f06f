"""The images to analyze: from the command line or from a manifest, each with what is said of it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.catalog import CatalogError, Row, content_of, form_of, problems_of, quoted, rows_of

_LONGEST_PATH: Final = 4096
_NEEDED: Final = ("image_path",)


@dataclass(frozen=True)
class LocalImage:
    """A file and what is said of it; `image_path` is the text that the result echoes."""

    file: Path
    image_path: str
    product_type: str | None = None
    hex_color_label: str | None = None
    category: str | None = None
    custom_id: str | None = None


def images_of_files(paths: Iterable[str], product_type: str | None = None) -> list[LocalImage]:
    """Take files as they are named on the command line; bytes of a name that are no UTF-8 are shown as �."""
    return [LocalImage(Path(path), os.fsencode(path).decode("utf-8", "replace"), product_type) for path in paths]


def images_of_manifest(manifest: Path) -> list[LocalImage]:
    """Read a catalog (CSV, JSON or NDJSON) whose paths are relative to its folder; raises `CatalogError`."""
    rows = list(rows_of(content_of(manifest), form_of(manifest.suffix), {}, _NEEDED))
    problems = [problem for row in rows for problem in problems_of(row, _path_problem, _NEEDED)]
    if problems or not rows:
        raise CatalogError(problems or ["the catalog has no rows"])
    return [_image(manifest.parent, row) for row in rows]


def _image(folder: Path, row: Row) -> LocalImage:
    said = {name: value or None for name, value in row.values.items() if name != "image_path"}
    return LocalImage(folder / row.values["image_path"], row.values["image_path"], **said)


def _path_problem(value: str) -> str | None:
    if value.lower().startswith(("http://", "https://")):
        return f"is a URL, {quoted(value)}; only files are analyzed here, and huestream submit takes URLs"
    if len(value) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} characters"
    return None if value.isprintable() else f"has a control character: {quoted(value)}"
