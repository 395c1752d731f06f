"""From the rows of a batch to its report, and to the forms in which a customer takes it away. Pure."""

import csv
import io
from collections.abc import Mapping
from typing import Final

from schemas.events import ItemError
from schemas.results import Report, ResultItem
from services.reporter.gathering import Head, Reason, Row

_TIMED_OUT: Final = ItemError(code="timed_out", message="The image was not classified before the batch's deadline")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")
COLUMNS: Final = (
    *("index", "custom_id", "image_path", "product_type", "category", "hex_color_label", "status"),
    *("family", "name", "fine_name", "hex", "share", "confidence", "needs_review", "review_reasons", "pattern"),
    *("verdict", "delta_e_2000", "suggested_hex", "suggested_name", "error_code", "error_message"),
)


def report_of(head: Head, rows: Mapping[int, Row], reason: Reason) -> Report:
    """Build the report; what is missing is listed as timed out. The same rows give the same report, always."""
    batch = head.batch
    last = max((row.classified_at for row in rows.values()), default=batch.submitted_at)
    return Report(
        inference_id=batch.inference_id,
        key_id=batch.key_id,
        reason=reason,
        submitted_at=batch.submitted_at,
        finished_at=last if reason == "complete" else batch.deadline_at,
        items=tuple(
            ResultItem.model_validate(rows[index].model_dump())
            if index in rows
            else ResultItem(index=index, status="failed", error=_TIMED_OUT)
            for index in range(batch.size)
        ),
    )


def csv_of(report: Report) -> bytes:
    """Write the report as CSV (UTF-8 with a mark, as spreadsheets expect), safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in report.items:
        cells = _cells(item)
        writer.writerow([_safe(cells.get(name)) for name in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def ndjson_of(report: Report) -> bytes:
    """Write the report as one JSON object a line."""
    return b"".join(item.model_dump_json().encode() + b"\n" for item in report.items)


def _cells(item: ResultItem) -> dict[str, object]:
    cells = item.model_dump(exclude={"classification", "error"})
    if item.error:
        cells |= {"error_code": item.error.code, "error_message": item.error.message}
    if found := item.classification:
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
