"""The results as a file: CSV, JSON or NDJSON, by the ending of its name; there whole or not at all."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from schemas.results_csv import cells_of, table_of
from services.submit.submitting import Outcome

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
    """Write a table."""
    return table_of(COLUMNS, map(_cells, outcomes))


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
    if outcome.result is not None:
        return {**cells_of(outcome.result), "inference_id": outcome.inference_id}
    trouble = {"status": "unknown", "error_code": "not_submitted", "error_message": outcome.trouble}
    return {**outcome.image.model_dump(), "inference_id": outcome.inference_id, **trouble}
