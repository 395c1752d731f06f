"""From valid images to the events of a batch. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from schemas.events import BatchSubmitted, ImageFields, ImageSubmitted

_NAMESPACE: Final = UUID("6d0f2f0e-5d0b-5f43-9a7e-0d8a3f6f7c11")
"""Of all ids that are derived from an idempotency key; never to be changed."""


@dataclass(frozen=True)
class Batch:
    """What is published for one accepted request."""

    images: Sequence[ImageSubmitted]
    record: BatchSubmitted


def idempotent_id(key_id: str, idempotency_key: str) -> str:
    """Derive the id that every replica gives to the same key and idempotency key."""
    return str(uuid5(_NAMESPACE, f"{key_id}/{idempotency_key}"))


def fingerprint(images: Sequence[ImageFields]) -> str:
    """Hash what was submitted: SHA-256 of the images in canonical JSON, in hexadecimal."""
    names = list(ImageFields.model_fields)
    content = [[getattr(image, name) for name in names] for image in images]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def batch_of(
    images: Sequence[ImageFields], inference_id: str, key_id: str, now: datetime, deadline_seconds: float
) -> Batch:
    """Build the events of a batch: one for each image, and the record that commits them."""
    mark = fingerprint(images)
    deadline_at = now + timedelta(seconds=deadline_seconds)
    return Batch(
        images=[
            ImageSubmitted(
                **dict(image),
                inference_id=inference_id,
                index=index,
                fingerprint=mark,
                submitted_at=now,
                deadline_at=deadline_at,
            )
            for index, image in enumerate(images)
        ],
        record=BatchSubmitted(
            inference_id=inference_id,
            key_id=key_id,
            size=len(images),
            fingerprint=mark,
            submitted_at=now,
            deadline_at=deadline_at,
        ),
    )
