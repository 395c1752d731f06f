"""The results as a file: CSV, JSON or NDJSON, by the ending of its name; there whole or not at all."""

import csv
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from services.submit.submitting import Outcome

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")
COLUMNS: Final = (
    *("custom_id", "image_path", "product_type", "category", "hex_color_label", "status"),
    *("family", "name", "fine_name", "hex", "share", "confidence", "needs_review", "review_reasons", "pattern"),
    *("verdict", "delta_e_2000", "suggested_hex", "suggested_name", "error_code", "error_message", "inference_id"),
)


class ResultsFileError(Exception):
    """The results cannot be written there; the message is one sentence."""


def check_writable(path: Path) -> None:
    """Raise `ResultsFileError` before anything is submitted whose results would be lost."""
    if path.suffix.lower() not in _FORMS:
        raise ResultsFileError(f"{path}: results are written as {', '.join(_FORMS)}; end the name with one of these")
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise ResultsFileError(f"{path} cannot be written; name a file in a folder that exists")


def write_results(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the file; raises `ResultsFileError`."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(_FORMS[path.suffix.lower()](outcomes))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ResultsFileError(f"{path} cannot be written: {error.strerror}") from error


def csv_of(outcomes: Sequence[Outcome]) -> bytes:
    """Write UTF-8 with a mark, as spreadsheets expect, and no cell that one would take for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for outcome in outcomes:
        cells = _cells(outcome)
        writer.writerow([_safe(cells.get(name)) for name in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def json_of(outcomes: Sequence[Outcome]) -> bytes:
    """Write one list."""
    return f"{json.dumps([_document(outcome) for outcome in outcomes], indent=2)}\n".encode()


def ndjson_of(outcomes: Sequence[Outcome]) -> bytes:
    """Write one JSON object a line."""
    return "".join(f"{json.dumps(_document(outcome))}\n" for outcome in outcomes).encode()


_FORMS: Final[Mapping[str, Callable[[Sequence[Outcome]], bytes]]] = {
    ".csv": csv_of,
    ".json": json_of,
    ".ndjson": ndjson_of,
}


def _document(outcome: Outcome) -> dict[str, object]:
    """Show an outcome as the endpoint shows a result, with its inference; without a result, the trouble."""
    if outcome.result is None:
        trouble = {"code": "not_submitted", "message": outcome.trouble}
        found: dict[str, object] = {**outcome.image.model_dump(mode="json"), "status": "unknown", "error": trouble}
    else:
        found = outcome.result.model_dump(mode="json")
    return {**found, "inference_id": outcome.inference_id}


def _cells(outcome: Outcome) -> dict[str, object]:
    cells: dict[str, object] = {**outcome.image.model_dump(), "inference_id": outcome.inference_id}
    result = outcome.result
    if result is None:
        return cells | {"status": "unknown", "error_code": "not_submitted", "error_message": outcome.trouble}
    cells["status"] = result.status
    if result.error:
        cells |= {"error_code": result.error.code, "error_message": result.error.message}
    if found := result.classification:
        cells |= found.primary.model_dump(include={"family", "name", "fine_name", "hex", "share"})
        cells |= found.model_dump(include={"confidence", "needs_review", "pattern"})
        cells["review_reasons"] = " ".join(found.review_reasons)
        if found.label:
            cells |= found.label.model_dump(include={"verdict", "delta_e_2000", "suggested_hex", "suggested_name"})
    return cells


def _safe(value: object) -> object:
    """Keep a spreadsheet from taking text for a formula.

    >>> _safe("=1+1")
    "'=1+1"
    """
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value
