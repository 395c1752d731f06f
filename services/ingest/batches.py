"""From valid images to the records of a batch. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
from typing import Final, overload
from uuid import UUID, uuid5

from msgspec.json import Encoder
from pydantic_core import to_json

from schemas.events import BatchSubmitted, ImageSubmitted
from schemas.fields import MAX_BATCH
from services.ingest.validation import Item

_NAMESPACE: Final = UUID("6d0f2f0e-5d0b-5f43-9a7e-0d8a3f6f7c11")
"""Of all ids that are derived, from an idempotency key or a place in the log; never to be changed."""
_ITEMS: Final = Encoder()
_FIRST: Final = b'{"image_path":'
_SUFFIXES: Final = [b"/%d" % index for index in range(MAX_BATCH)]
_INDEXES: Final = [b',"index":%d,' % index for index in range(MAX_BATCH)]
_TYPE: Final = ImageSubmitted.model_fields["type"].default
_VERSION: Final = ImageSubmitted.model_fields["version"].default


class Images(Sequence[tuple[bytes, bytes]]):
    """Key and value of each image's record, made anew each time that they are asked for.

    Kept from the request until they are sent, the 1,000 objects of a batch would cost more than making them. `members`
    says what each image is, as `_pieces` cuts it; `shared` is what the events of all images end with.
    """

    __slots__ = ("_indexes", "_key", "_members", "_shared", "_suffixes")

    def __init__(self, key: bytes, members: Sequence[bytes], shared: bytes) -> None:
        self._key = key
        self._members = members
        self._shared = shared
        self._suffixes = _SUFFIXES[: len(members)]
        self._indexes = _INDEXES[: len(members)]

    def __len__(self) -> int:
        return len(self._members)

    @overload
    def __getitem__(self, which: int) -> tuple[bytes, bytes]: ...
    @overload
    def __getitem__(self, which: slice) -> Sequence[tuple[bytes, bytes]]: ...
    def __getitem__(self, which: int | slice) -> tuple[bytes, bytes] | Sequence[tuple[bytes, bytes]]:
        """Make the records of some images, or of one; without a step of Python's for each, which would double it."""
        if isinstance(which, int):
            return self[which : which + 1 or None][0]
        keys = map(self._key.__add__, self._suffixes[which])
        parts = zip(repeat(_FIRST), self._members[which], self._indexes[which], repeat(self._shared), strict=False)
        return list(zip(keys, map(b"".join, parts), strict=True))


@dataclass(frozen=True)
class Batch:
    """What is published for one accepted request: key and value of each image's record, then the batch record."""

    images: Sequence[tuple[bytes, bytes]]
    record: BatchSubmitted
    traceparent: str | None = None
    """The trace that the request belongs to, where there is one."""


def idempotent_id(key_id: str, idempotency_key: str) -> str:
    """Derive the id that every replica gives to the same key and idempotency key."""
    return str(uuid5(_NAMESPACE, f"{key_id}/{idempotency_key}"))


def gathered_id(topic: str, partition: int, key_id: str, first_offset: int) -> str:
    """Derive the id of a batch that was gathered: whoever gathers it again gives it the same."""
    return str(uuid5(_NAMESPACE, f"{topic}/{partition}/{key_id}/{first_offset}"))


def batch_of(images: Sequence[Item], inference_id: str, key_id: str, now: datetime, deadline_seconds: float) -> Batch:
    """Build the records of a batch: one for each image, and the one that commits them."""
    encoded = _ITEMS.encode(images)
    record = BatchSubmitted(
        inference_id=inference_id,
        key_id=key_id,
        size=len(images),
        fingerprint=fingerprint(encoded),
        submitted_at=now,
        deadline_at=now + timedelta(seconds=deadline_seconds),
    )
    return Batch(Images(inference_id.encode(), _pieces(encoded), _rest_of_events(record)), record)


def fingerprint(encoded: bytes) -> str:
    """Hash what was submitted: SHA-256 of the images as JSON, without blanks and absent members, in hexadecimal."""
    return hashlib.sha256(encoded).hexdigest()


def _pieces(encoded: bytes) -> list[bytes]:
    """Cut an array of images into the members of each, without the first one's name and the braces.

    What is cut at begins with a brace and holds quotes, so that it stands nowhere inside of a value.

    >>> _pieces(b'[{"image_path":"a","x":1},{"image_path":"b"}]')
    [b'"a","x":1', b'"b"']
    """
    return encoded[1 + len(_FIRST) : -2].split(b"}," + _FIRST)


def _rest_of_events(batch: BatchSubmitted) -> bytes:
    """Encode what the events of all images share; a model for each of 250 images would cost 2 ms."""
    shared = {
        "type": _TYPE,
        "version": _VERSION,
        "inference_id": batch.inference_id,
        "fingerprint": batch.fingerprint,
        "submitted_at": batch.submitted_at,
        "deadline_at": batch.deadline_at,
    }
    return to_json(shared)[1:]
