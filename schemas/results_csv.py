"""Results as a table: the CSV file of the mail and of the endpoint."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schemas.results import ResultItem

COLUMNS: Final = (
    *("index", "custom_id", "image_path", "product_type", "category", "hex_color_label", "status"),
    *("family", "name", "fine_name", "hex", "share", "confidence", "needs_review", "review_reasons", "pattern"),
    *("verdict", "delta_e_2000", "suggested_hex", "suggested_name", "error_code", "error_message"),
)
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_of(items: Iterable[ResultItem]) -> bytes:
    """Write results as CSV."""
    return table_of(COLUMNS, map(cells_of, items))


def table_of(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Write UTF-8 with a mark, as spreadsheets expect, and no cell that one would take for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_safe(cells.get(name)) for name in columns] for cells in rows)
    return text.getvalue().encode("utf-8-sig")


def cells_of(item: ResultItem) -> dict[str, object]:
    """Lay a result out by column."""
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
