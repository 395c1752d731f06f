"""From the rows of a batch to its report, and to the forms in which a customer takes it away. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from schemas import results_csv
from schemas.events import EndReason, ItemError
from schemas.results import Report, ResultItem
from services.reporter.gathering import Head, Row

_TIMED_OUT: Final = ItemError(code="timed_out", message="The image was not classified before the batch's deadline")
_CANCELED: Final = ItemError(code="canceled", message="The batch was canceled before the image was classified")


def report_of(head: Head, rows: Mapping[int, Row], reason: EndReason) -> Report:
    """Build the report; what is missing timed out or was canceled. The same rows give the same report, always."""
    batch = head.batch
    missing = _CANCELED if reason == "canceled" else _TIMED_OUT
    return Report(
        inference_id=batch.inference_id,
        key_id=batch.key_id,
        reason=reason,
        submitted_at=batch.submitted_at,
        finished_at=_finished_at(head, rows, reason),
        items=tuple(
            ResultItem.model_validate(rows[index].model_dump())
            if index in rows
            else ResultItem(index=index, status="failed", error=missing)
            for index in range(batch.size)
        ),
    )


def _finished_at(head: Head, rows: Mapping[int, Row], reason: EndReason) -> datetime:
    if reason == "deadline":
        return head.deadline_at
    last = max((row.classified_at for row in rows.values()), default=head.batch.submitted_at)
    return max(last, head.closed_at or last) if reason == "canceled" else last


def csv_of(report: Report) -> bytes:
    """Write the report as CSV."""
    return results_csv.csv_of(report.items)


def ndjson_of(report: Report) -> bytes:
    """Write the report as one JSON object a line."""
    return b"".join(item.model_dump_json().encode() + b"\n" for item in report.items)


def json_of(report: Report) -> bytes:
    """Write the report as one JSON list, as the endpoint gives its results."""
    return b"[" + b",\n".join(item.model_dump_json().encode() for item in report.items) + b"]\n"
