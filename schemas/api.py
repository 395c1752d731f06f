"""What the HTTP endpoint answers, as models; `services/ingest` builds its replies of them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from schemas.events import EmailStatus, WebhookState
from schemas.fields import BatchSize, InferenceId, UtcTime
from schemas.results import ResultItem

Model = Literal["color-classification"]
MODEL: Model = "color-classification"


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Accepted(_Reply):
    """A batch was accepted: three members and no other."""

    message: Literal["Message queued successfully on the inference queue for color-classification"] = (
        "Message queued successfully on the inference queue for color-classification"
    )
    inference_id: InferenceId
    model: Model = MODEL


class AcceptedWithResults(Accepted):
    """The same with `Prefer: wait=N`, where the results were there in time."""

    results: tuple[ResultItem, ...]


class Canceling(_Reply):
    """A batch is being canceled, or was; the same however often it is asked for."""

    message: Literal["Images of the inference that are not done yet are reported as canceled"] = (
        "Images of the inference that are not done yet are reported as canceled"
    )
    inference_id: InferenceId
    model: Model = MODEL


class Progress(_Reply):
    """Counts of a batch's images; the last three always sum to the total."""

    total: BatchSize
    succeeded: int = Field(ge=0)
    failed: int = Field(ge=0)
    pending: int = Field(ge=0)


class ReportState(_Reply):
    """What became of the report mail, and of the webhook beside it."""

    email_status: EmailStatus
    webhook_status: WebhookState | None = Field(None, description="absent until a webhook was tried")

    @model_serializer(mode="wrap")
    def _without_absent(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        found: dict[str, object] = serialize(self)
        return {name: value for name, value in found.items() if name != "webhook_status" or value is not None}


class Status(_Reply):
    """How far a batch is."""

    id: InferenceId
    created_at: UtcTime
    updated_at: UtcTime
    status: Literal["in_progress", "completed", "failed"]
    model: Model = MODEL
    response_code: int = Field(description="the status code that the results have at the moment")
    request_item_count: BatchSize
    response_item_count: int = Field(ge=0)
    response_time: float = Field(ge=0, description="seconds from acceptance to the last change, or to the end")
    progress: Progress
    expires_at: UtcTime | None = Field(description="when the results are removed; null while in progress")
    report: ReportState


class InferenceList(_Reply):
    """Batches of one owner, newest first."""

    inferences: tuple[Status, ...]
    next_cursor: str | None = Field(description="given back as `cursor`, leads to older ones; null at the end")


class Error(_Reply):
    """Every error, unless problem details are asked for."""

    error: str = Field(description="the phrase of the status code")
    message: str
    code: int


class Violation(_Reply):
    """One rule that the body breaks."""

    detail: str
    pointer: str = Field(description="a JSON pointer (RFC 6901) into the body, as a URI fragment")


class Problem(_Reply):
    """Every error with `Accept: application/problem+json` (RFC 9457)."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[Violation, ...] = ()
