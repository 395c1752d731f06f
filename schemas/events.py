"""The events that travel over Kafka, each in an envelope of type and version.

Records are JSON objects. Members that a reader does not know are ignored, so that a newer writer can add some;
a change that an older reader would misunderstand gets a new version, and both stand side by side.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.classification import Classification
from schemas.fields import (
    MAX_BATCH,
    BatchSize,
    CustomId,
    Fingerprint,
    FreeText,
    HexColorLabel,
    ImagePath,
    ImageUrl,
    Index,
    InferenceId,
    ItemErrorCode,
    KeyId,
    UtcTime,
)

MAX_RECORD_BYTES: Final = 64 * 1024
"""No event of ours comes near this; a larger record is not ours."""


class UndecodableError(ValueError):
    """A record that is not one of our events; the message says why, and never quotes the record."""


class Event(BaseModel):
    """What every event has: a type and a version, fixed by its class."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    type: str
    version: int

    @classmethod
    def decode(cls, value: bytes | None) -> Self:
        """Read a record's value; raises `UndecodableError` for anything but a valid event of this class."""
        if value is None:
            raise UndecodableError("the record has no value")
        if len(value) > MAX_RECORD_BYTES:
            raise UndecodableError(f"the record has {len(value)} bytes, more than {MAX_RECORD_BYTES}")
        try:
            return cls.model_validate_json(value)
        except ValidationError as error:
            raise UndecodableError(_first_reason(error)) from error

    def encode(self) -> bytes:
        """The record's value: compact JSON in UTF-8."""
        return self.model_dump_json().encode()


def _first_reason(error: ValidationError) -> str:
    """Name the member and the rule, not the value: the value is somebody else's text."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    member = ".".join(str(part) for part in first["loc"])[:100]
    rule = "it is not JSON" if first["type"] == "json_invalid" else first["msg"]
    return f"{member or 'the record'}: {rule}"[:300]


class ImageFields(BaseModel):
    """What the customer said of one image; echoed unchanged in its result."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    image_path: ImagePath
    product_type: FreeText
    hex_color_label: HexColorLabel | None = None
    category: FreeText | None = None
    custom_id: CustomId | None = None


class ImageSubmitted(Event, ImageFields):
    """One image of a batch waits to be classified."""

    type: Literal["image.submitted"] = "image.submitted"
    version: Literal[1] = 1
    inference_id: InferenceId
    index: Index
    fingerprint: Fingerprint
    submitted_at: UtcTime
    deadline_at: UtcTime | None = None


class ProductSubmitted(Event, ImageFields):
    """One product of a producer that has no batch: those of one key that come within a window become one.

    A record without a value is none: it tells the time only, and ends the batches of the windows before.
    """

    type: Literal["product.submitted"] = "product.submitted"
    version: Literal[1] = 1
    key_id: Annotated[KeyId, Field(description="the API key whose owner gets the report")]


class BatchSubmitted(Event):
    """All images of a batch were written: the batch exists. Without this record it is never reported."""

    type: Literal["batch.submitted"] = "batch.submitted"
    version: Literal[1] = 1
    inference_id: InferenceId
    key_id: KeyId
    size: BatchSize
    fingerprint: Fingerprint
    submitted_at: UtcTime
    deadline_at: UtcTime
    webhook_url: Annotated[ImageUrl, Field(description="told when it is finished; null: that of the key")] | None = None


class ItemError(BaseModel):
    """Why an image has no classification: a code of the closed list, and a sentence for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: ItemErrorCode
    message: Annotated[str, Field(max_length=300)]


class ImageClassified(Event, ImageFields):
    """The end of one image: a classification, or an error from the closed list."""

    type: Literal["image.classified"] = "image.classified"
    version: Literal[1] = 1
    inference_id: InferenceId
    index: Index
    fingerprint: Fingerprint
    classified_at: UtcTime
    status: Literal["succeeded", "failed"]
    classification: Classification | None = None
    error: ItemError | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.classification is None) != (self.status == "failed") or (self.error is None) != (
            self.status == "succeeded"
        ):
            raise ValueError("a result that succeeded has a classification, one that failed has an error")
        return self


EndReason = Literal["complete", "deadline", "canceled"]
"""Why a batch ended: all its images were done, its deadline passed, or its owner canceled it."""


class ReportReady(Event):
    """The outbox: a batch has ended, and its report is due."""

    type: Literal["report.ready"] = "report.ready"
    version: Literal[1] = 1
    inference_id: InferenceId
    reason: EndReason
    ready_at: UtcTime


class ControlTick(Event):
    """A timer's word to the reporter's stream, where alone tables may be written."""

    type: Literal["reporter.tick"] = "reporter.tick"
    version: Literal[1] = 1
    inference_id: InferenceId
    action: Literal["deadline", "resend", "purge"]


class CancellationRequested(Event):
    """A customer ends a batch: what is done stays, the rest is reported as canceled, unless the batch ended first.

    It says of the batch what its reporter needs: it may be read before the batch record, which lies in another topic.
    """

    type: Literal["cancellation.requested"] = "cancellation.requested"
    version: Literal[1] = 1
    inference_id: InferenceId
    key_id: KeyId
    size: BatchSize
    fingerprint: Fingerprint
    submitted_at: UtcTime
    requested_at: UtcTime

    def batch(self) -> BatchSubmitted:
        """The batch as far as it is known here: past its deadline."""
        return BatchSubmitted(
            inference_id=self.inference_id,
            key_id=self.key_id,
            size=self.size,
            fingerprint=self.fingerprint,
            submitted_at=self.submitted_at,
            deadline_at=self.requested_at,
        )


EmailStatus = Literal["pending", "sent", "retrying", "failed", "none"]


class InferenceStatus(Event):
    """How far a batch is; the newest record of an id holds."""

    type: Literal["inference.status"] = "inference.status"
    version: Literal[1] = 1
    inference_id: InferenceId
    key_id: KeyId
    state: Literal["in_progress", "completed", "failed"]
    size: BatchSize
    succeeded: Annotated[int, Field(ge=0)]
    failed: Annotated[int, Field(ge=0)]
    created_at: UtcTime
    updated_at: UtcTime
    finished_at: UtcTime | None = None
    expires_at: UtcTime | None = None
    email_status: EmailStatus = "pending"
    reason: EndReason | None = None
    webhook_url: Annotated[ImageUrl, Field(description="told when it is finished; null: that of the key")] | None = None

    @property
    def pending(self) -> int:
        """Images without a result so far."""
        return self.size - self.succeeded - self.failed


WebhookState = Literal["retrying", "sent", "failed"]


class WebhookStatus(Event):
    """What became of telling a customer's own server that a batch is finished; the newest record of an id holds."""

    type: Literal["webhook.status"] = "webhook.status"
    version: Literal[1] = 1
    inference_id: InferenceId
    key_id: KeyId
    state: WebhookState
    attempts: Annotated[int, Field(ge=1)]
    response_code: Annotated[int, Field(ge=100, le=999, description="null: there was no reply")] | None = None
    updated_at: UtcTime
    next_attempt_at: UtcTime | None = None


class ApiKey(Event):
    """An API key, by its hash: who owns it, where reports go, what it may do, until when it holds."""

    type: Literal["api.key"] = "api.key"
    version: Literal[1] = 1
    key_id: KeyId
    owner: Annotated[str, Field(min_length=1, max_length=128)]
    email: Annotated[str, Field(max_length=254, pattern=r"^[^\s@<>\"=?,;:\x00-\x20\x7f]+@[A-Za-z0-9.-]+$")] | None = (
        None
    )
    secret_sha256: Fingerprint
    scopes: Annotated[tuple[Literal["submit", "read"], ...], Field(min_length=1)] = ("submit", "read")
    created_at: UtcTime
    expires_at: UtcTime | None = None
    revoked_at: UtcTime | None = None
    requests_per_minute: Annotated[int, Field(ge=1, description="null: as the endpoint is set")] | None = None
    images_per_minute: Annotated[int, Field(ge=MAX_BATCH, description="null: as the endpoint is set")] | None = None
    former_sha256: Annotated[Fingerprint, Field(description="the secret before the last rotation")] | None = None
    former_until: UtcTime | None = None
    webhook_url: Annotated[ImageUrl, Field(description="told of each finished batch")] | None = None


EVENTS: Final[tuple[type[Event], ...]] = (
    ProductSubmitted,
    ImageSubmitted,
    BatchSubmitted,
    ImageClassified,
    ReportReady,
    ControlTick,
    CancellationRequested,
    InferenceStatus,
    WebhookStatus,
    ApiKey,
)
