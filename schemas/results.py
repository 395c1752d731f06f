"""What a customer gets: one result per image, and the report of a batch as it lies in the report store."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.classification import Classification
from schemas.events import EndReason, ItemError
from schemas.fields import Index, InferenceId, KeyId, UtcTime


class ResultItem(BaseModel):
    """One line of a report. The input is echoed unchanged, and is null where an image never came back in time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    index: Index
    image_path: str | None = None
    product_type: str | None = None
    hex_color_label: str | None = None
    category: str | None = None
    custom_id: str | None = None
    status: Literal["succeeded", "failed"]
    classification: Classification | None = None
    error: ItemError | None = None


class Report(BaseModel):
    """A finished batch: every image of it, in input order."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    inference_id: InferenceId
    key_id: KeyId
    reason: EndReason
    submitted_at: UtcTime
    finished_at: UtcTime
    items: tuple[ResultItem, ...]


def report_path(inference_id: str) -> str:
    """Where the report store keeps a batch's `Report` as JSON; it is written last, after the forms beside it."""
    return f"{inference_id}/report.json"


def results_csv_path(inference_id: str) -> str:
    """Where the report store keeps a finished batch's results as CSV."""
    return f"{inference_id}/results.csv"


def results_ndjson_path(inference_id: str) -> str:
    """Where the report store keeps a finished batch's results as one JSON object a line."""
    return f"{inference_id}/results.ndjson"


def view_path(inference_id: str) -> str:
    """Where the endpoint shows a batch's results as a page; a token for this very path opens it."""
    return f"/inference/{inference_id}/view"
