"""The images to analyze: from the command line or from a manifest, each with what is said of it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.catalog import Column, content_of, custom_id_problem, hex_problem, quoted, rows_of, text_problem

_LONGEST_PATH: Final = 4096


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
    """Read a CSV file whose paths are relative to its folder; raises `CatalogError`."""
    return [
        LocalImage(
            manifest.parent / (row["image_path"] or ""),
            row["image_path"] or "",
            row["product_type"],
            row["hex_color_label"],
            row["category"],
            row["custom_id"],
        )
        for row in rows_of(content_of(manifest), _COLUMNS)
    ]


def _path_problem(value: str) -> str | None:
    if value.lower().startswith(("http://", "https://")):
        return f"is a URL, {quoted(value)}; only files are analyzed here, and huestream submit takes URLs"
    if len(value) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} characters"
    return None if value.isprintable() else f"has a control character: {quoted(value)}"


_COLUMNS: Final = (
    Column("image_path", _path_problem),
    Column("product_type", text_problem, named=False, filled=False),
    Column("hex_color_label", hex_problem, named=False, filled=False),
    Column("category", text_problem, named=False, filled=False),
    Column("custom_id", custom_id_problem, named=False, filled=False),
)
