"""A folder of photos as a catalog; what is said of them is read from a CSV file beside them, if there is one."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

from schemas.events import ImageFields
from schemas.fields import FREE_TEXT_PATTERN, HEX_COLOR_LABEL_PATTERN, MAX_TEXT

_ENDINGS: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
_CATALOGS: Final = ("labels.csv", "catalog.csv")
_FREE_TEXT: Final = re.compile(FREE_TEXT_PATTERN)
_HEX: Final = re.compile(HEX_COLOR_LABEL_PATTERN)


class PhotosError(Exception):
    """The folder cannot be shown; the message is one sentence."""


def photos_in(folder: Path) -> list[Path]:
    """List the photos of a folder by name; raises `PhotosError`."""
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS and path.is_file()]
    except OSError as error:
        raise PhotosError(f"the folder {folder} cannot be read: {error.strerror}") from error
    if not found:
        raise PhotosError(f"there is no photo in {folder}: no file ends in {', '.join(sorted(_ENDINGS))}")
    return sorted(found, key=lambda path: path.name)


def photo_items(photos: Sequence[Path], address: str) -> list[ImageFields]:
    """Write the catalog; `address` is the URL of the folder that holds the files."""
    said = _said_of(photos[0].parent)
    return [_item(f"{address}/{quote(photo.name)}", said.get(photo.name, {})) for photo in photos]


def _item(address: str, row: Mapping[str, str]) -> ImageFields:
    return ImageFields(
        image_path=address,
        product_type=_text(row.get("product_type")) or "product",
        hex_color_label=_label(row.get("hex_color_label") or row.get("hex_a")),
        category=_text(row.get("category")) or "photos",
    )


def _text(value: str | None) -> str | None:
    text = (value or "").strip()
    return text if len(text) <= MAX_TEXT and _FREE_TEXT.fullmatch(text) else None


def _label(value: str | None) -> str | None:
    text = (value or "").strip()
    return text if _HEX.fullmatch(text) else None


def _said_of(folder: Path) -> dict[str, Mapping[str, str]]:
    """Find what is known of each file, in the folder or beside it; a file that cannot be read says nothing."""
    for path in (place / name for place in (folder, folder.parent) for name in _CATALOGS):
        try:
            content = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue
        rows = [{(name or "").strip().lower(): value for name, value in row.items()} for row in _records(content)]
        named = {PurePosixPath(file).name: row for row in rows if (file := row.get("file") or row.get("image_path"))}
        if named:
            return {name: {key: value for key, value in row.items() if value} for name, row in named.items()}
    return {}


def _records(content: str) -> list[dict[str, str]]:
    try:
        # cells beyond the header and cells that are missing say nothing
        return [
            {name: value for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
            for row in csv.DictReader(content.splitlines())
        ]
    except csv.Error:
        return []
