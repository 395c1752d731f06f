"""The constrained values that events and requests are made of."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

MAX_BATCH: Final = 250
"""Images in one batch, at most."""

Family = Literal[
    "black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "beige"
]

ItemErrorCode = Literal[
    "fetch_dns",
    "fetch_timeout",
    "fetch_http_status",
    "fetch_blocked_address",
    "fetch_too_many_redirects",
    "fetch_failed",
    "image_too_large",
    "image_too_many_pixels",
    "image_unsupported_format",
    "image_corrupt",
    "image_fully_transparent",
    "decode_timeout",
    "decode_crashed",
    "timed_out",
    "canceled",
    "internal",
]


_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _canonical_uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise ValueError("expected a lower-case UUID in its canonical form of 36 characters")
    return text


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
InferenceId = Annotated[str, StringConstraints(min_length=36, max_length=36), AfterValidator(_canonical_uuid)]
KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of what was submitted, in hexadecimal: tells one body under an id from another."""
Index = Annotated[int, Field(ge=0, lt=MAX_BATCH)]
BatchSize = Annotated[int, Field(ge=1, le=MAX_BATCH)]
HEX_COLOR_LABEL_PATTERN: Final = r"^#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$"
# scheme, then a host that is not empty and holds no user information, blank or control character
IMAGE_URL_PATTERN: Final = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@\\\x00-\x20\x7f]+(?:[/?#][^\s\x00-\x20\x7f]*)?$"
# a bucket, then the name of an object as it is, which may hold blanks; read only where an operator allows it
BUCKET_PATH_PATTERN: Final = r"^(?:s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]{1,221}/(?:[^\s\x00-\x1f\x7f-\x9f]| )+$"
# no control character anywhere, and at least one character that is not a blank
FREE_TEXT_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
MAX_URL: Final = 2048
MAX_TEXT: Final = 256
MAX_CUSTOM_ID: Final = 64

HexColor = Annotated[str, StringConstraints(pattern=r"^#[0-9A-F]{6}$")]
HexColorLabel = Annotated[str, StringConstraints(pattern=HEX_COLOR_LABEL_PATTERN)]
ImageUrl = Annotated[str, StringConstraints(max_length=MAX_URL, pattern=IMAGE_URL_PATTERN)]
ImagePath = Annotated[str, StringConstraints(max_length=MAX_URL, pattern=f"{IMAGE_URL_PATTERN}|{BUCKET_PATH_PATTERN}")]
FreeText = Annotated[str, StringConstraints(max_length=2 * MAX_TEXT, pattern=FREE_TEXT_PATTERN)]
"""Free text of a customer, echoed unchanged. The HTTP endpoint holds it to `MAX_TEXT` without its outer blanks."""
CustomId = Annotated[str, StringConstraints(max_length=MAX_CUSTOM_ID, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Share = Annotated[float, Field(ge=0, le=1)]
