"""Gathering the results of batches, on mappings: Faust's tables when it runs, dicts in tests. Pure.

Rows are written once per image, the head of a batch when it opens, closes and is retried, the sent marker once. What
was received is derived from the rows, so that a crash between any two writes loses nothing.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, TypeAdapter

from schemas.events import BatchSubmitted, EmailStatus, EndReason, ImageClassified, InferenceStatus
from schemas.fields import UtcTime
from schemas.results import ResultItem

Table = MutableMapping[bytes, bytes]
Outcome = Literal["new", "duplicate", "late", "other_body", "out_of_range"]
Opened = Literal["new", "known", "finished", "other_body", "contradicting"]


class LostPartitionError(Exception):
    """A table refuses a write: its partition went elsewhere meanwhile, and whoever has it reads the record again."""


class Row(ResultItem):
    """The result of one image as the table keeps it."""

    classified_at: UtcTime


_ROW_FIELDS: Final = set(Row.model_fields)
_SUCCEEDED: Final = b'"status":"succeeded"'
"""As it stands in a row; inside of a text its quotes would be escaped."""
_ABSENT: Final = tuple(
    f',"{name}":null'.encode() for name, field in Row.model_fields.items() if not field.is_required()
)
"""Members of a row that say nothing. Inside of a text their quotes would be escaped; no inner member is named so."""
_FINGERPRINT_LETTERS: Final = 16
_EMAIL_STATUS: Final[TypeAdapter[EmailStatus]] = TypeAdapter(EmailStatus)


class Head(BaseModel):
    """A batch from its record until its mail was handed over."""

    model_config = ConfigDict(frozen=True)

    batch: BatchSubmitted
    latest_end: UtcTime | None = None
    """When it ends at the latest, whatever its record asks for."""
    reason: EndReason | None = None
    """Why it was closed; None while it is open."""
    closed_at: UtcTime | None = None
    reported: str | None = None
    """In hexadecimal, a bit for each image whose row is reported; None while it is open.

    A row that a process has left on its own disk, and nobody else had when the batch was closed, is none of them.
    """
    attempts: int = 0
    """Attempts to mail that failed in a way that may pass."""
    next_attempt_at: UtcTime | None = None
    traceparent: str | None = None
    """The trace that its record came with."""

    @property
    def deadline_at(self) -> datetime:
        """When it ends, with whatever is there."""
        return min(self.batch.deadline_at, self.latest_end or self.batch.deadline_at)

    def indexes(self) -> Iterator[int]:
        """List the images whose rows count: all of an open batch, and those with which it was closed."""
        reported = None if self.reported is None else int(self.reported, 16)
        return (index for index in range(self.batch.size) if reported is None or reported >> index & 1)


@dataclass(frozen=True)
class Tables:
    """The three tables; keys are ids, for rows with fingerprint and index behind them."""

    rows: Table
    head: Table
    sent: Table


class Gathering:
    """The batches whose partitions this process owns."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._received: dict[str, dict[int, bool]] = {}
        self._heads: dict[str, Head] = {}
        self._written_rows: dict[bytes, int] = {}
        """For each batch and body, a bit for each image whose row this process has written, and not only found."""
        self._written_heads: set[str] = set()

    def forget(self) -> None:
        """Drop what was derived from the tables: after a rebalance they are others."""
        for derived in (self._received, self._heads, self._written_rows, self._written_heads):
            derived.clear()

    def head(self, inference_id: str) -> Head | None:
        """Find an unfinished batch."""
        known = self._heads.get(inference_id)
        if known is None and (found := self._tables.head.get(inference_id.encode())):
            known = self._heads[inference_id] = Head.model_validate_json(found)
        return known

    def heads(self) -> Iterator[Head]:
        """All unfinished batches."""
        for key, value in list(self._tables.head.items()):
            yield self._heads.get(key.decode()) or Head.model_validate_json(value)

    def sent_status(self, inference_id: str) -> EmailStatus | None:
        """Say what became of the mail of a finished batch; None for any other."""
        marker = self._tables.sent.get(inference_id.encode())
        return _marked(marker)[1] if marker else None

    def is_sent(self, inference_id: str) -> bool:
        """Say whether the batch's mail was handed over, or given up."""
        return inference_id.encode() in self._tables.sent

    def open(self, batch: BatchSubmitted, latest_end: datetime | None = None, traceparent: str | None = None) -> Opened:
        """Take a batch record; the first one of an id decides.

        What is known is written once more: the process may have died between its own copy and the shared one.
        """
        if self.is_sent(batch.inference_id):
            return "finished"
        known = self.head(batch.inference_id)
        self._write_head(known or Head(batch=batch, latest_end=latest_end, traceparent=traceparent))
        if known is None:
            return "new"
        if known.batch.fingerprint != batch.fingerprint:
            return "other_body"
        return "known" if known.batch.size == batch.size else "contradicting"

    def add(self, result: ImageClassified) -> Outcome:
        """Take a result; the first one of an image wins, and only those of the batch's own body count.

        A row that is there is written once more, as in `open`.
        """
        if self.is_sent(result.inference_id):
            return "late"
        key = _row_key(result.inference_id, result.fingerprint, result.index)
        known = self._tables.rows.get(key)
        head = self.head(result.inference_id)
        if head is not None and (refusal := _refusal(head, result, is_known=known is not None)) is not None:
            return refusal
        self._write_row(key, known or _row_of(result))
        if known is not None:
            return "duplicate"
        if head is not None:
            self._received_of(head)[result.index] = result.status == "succeeded"
        return "new"

    def is_complete(self, head: Head) -> bool:
        """Say whether all results are here."""
        return len(self._received_of(head)) == head.batch.size

    def counts(self, head: Head) -> Mapping[str, int]:
        """Count the images of a batch by what is known of them."""
        received = self._received_of(head)
        succeeded = sum(received.values())
        return {
            "succeeded": succeeded,
            "failed": len(received) - succeeded,
            "missing": head.batch.size - len(received),
        }

    def close(self, head: Head, reason: EndReason, now: datetime) -> Head:
        """End a batch: its rows are now as they will be reported."""
        self._write_rows_again(head)
        reported = f"{sum(1 << index for index in self._received_of(head)):x}"
        change = {"reason": reason, "closed_at": now, "next_attempt_at": now, "reported": reported}
        return self._write_head(head.model_copy(update=change))

    def write_again(self, head: Head) -> None:
        """Write what this process has only found of a batch: on the disk of one that died it may be the only copy."""
        self._write_rows_again(head)
        if head.batch.inference_id not in self._written_heads:
            self._write_head(head)

    def postpone(self, head: Head, until: datetime) -> Head:
        """Note that the mail will be tried again later."""
        return self._write_head(head.model_copy(update={"attempts": head.attempts + 1, "next_attempt_at": until}))

    def mark_sent(self, inference_id: str, now: datetime, email_status: EmailStatus = "sent") -> None:
        """Note that the mail was handed over, or given up; outlives everything else of the batch."""
        self._tables.sent[inference_id.encode()] = f"{now.isoformat()} {email_status}".encode()

    def drop(self, head: Head) -> None:
        """Remove the rows and the head of a batch that is finished."""
        inference_id = head.batch.inference_id
        for index in range(head.batch.size):
            self._tables.rows.pop(_key_of(head, index), None)
        self._tables.head.pop(inference_id.encode(), None)
        self._received.pop(inference_id, None)
        self._heads.pop(inference_id, None)
        self._written_rows.pop(_batch_of(_key_of(head, 0)), None)
        self._written_heads.discard(inference_id)

    def row_keys(self) -> list[bytes]:
        """The keys of all rows."""
        return list(self._tables.rows.keys())

    def is_orphan(self, key: bytes, now: datetime, age: timedelta) -> bool:
        """Say whether no report will ever want this row.

        So it is where its batch is finished, where another body won, and where no batch record came for so long that
        none can come any more.
        """
        inference_id = inference_of(key)
        head = self.head(inference_id)
        if head is not None:
            return _batch_of(key) != _batch_of(_key_of(head, 0))
        if self.is_sent(inference_id):
            return True
        value = self._tables.rows.get(key)
        return value is not None and now - Row.model_validate_json(value).classified_at > age

    def drop_row(self, key: bytes) -> None:
        """Remove a row."""
        self._tables.rows.pop(key, None)
        self._written_rows.pop(_batch_of(key), None)

    def old_markers(self, now: datetime, age: timedelta) -> list[str]:
        """List the finished batches whose markers are older than any record that could bring them back."""
        return [key.decode() for key, value in list(self._tables.sent.items()) if now - _marked(value)[0] > age]

    def drop_marker(self, inference_id: str, now: datetime, age: timedelta) -> None:
        """Forget that a batch was finished, if it was long ago."""
        marker = self._tables.sent.get(inference_id.encode())
        if marker and now - _marked(marker)[0] > age:
            self._tables.sent.pop(inference_id.encode(), None)

    def rows(self, head: Head) -> dict[int, Row]:
        """All results of a batch that count, by index."""
        found = {}
        for index in head.indexes():
            value = self._tables.rows.get(_key_of(head, index))
            if value is not None:
                found[index] = Row.model_validate_json(value)
        return found

    def status(self, head: Head, now: datetime, email_status: EmailStatus = "pending") -> InferenceStatus:
        """Say how far a batch is."""
        received = self._received_of(head)
        succeeded = sum(received.values())
        missing = head.batch.size - len(received) if head.reason else 0  # reported as timed out or canceled
        return InferenceStatus(
            inference_id=head.batch.inference_id,
            key_id=head.batch.key_id,
            state="completed" if head.reason else "in_progress",
            size=head.batch.size,
            succeeded=succeeded,
            failed=len(received) - succeeded + missing,
            created_at=head.batch.submitted_at,
            updated_at=now,
            finished_at=head.closed_at,
            email_status=email_status,
            reason=head.reason,
            webhook_url=head.batch.webhook_url,
        )

    def _write_head(self, head: Head) -> Head:
        self._tables.head[head.batch.inference_id.encode()] = head.model_dump_json().encode()
        self._heads[head.batch.inference_id] = head
        self._written_heads.add(head.batch.inference_id)
        return head

    def _write_row(self, key: bytes, row: bytes) -> None:
        self._tables.rows[key] = row
        batch = _batch_of(key)
        self._written_rows[batch] = self._written_rows.get(batch, 0) | 1 << key[-1]

    def _write_rows_again(self, head: Head) -> None:
        for index in self._received_of(head):
            key = _key_of(head, index)
            row = self._tables.rows.get(key)
            if row is not None and not self._written_rows.get(_batch_of(key), 0) >> index & 1:
                self._write_row(key, row)

    def _received_of(self, head: Head) -> dict[int, bool]:
        """Index and success of each received image; read from the rows once, then kept along."""
        known = self._received.get(head.batch.inference_id)
        if known is None:
            values = ((index, self._tables.rows.get(_key_of(head, index))) for index in head.indexes())
            known = {index: _SUCCEEDED in value for index, value in values if value is not None}
            self._received[head.batch.inference_id] = known
        return known


def _refusal(head: Head, result: ImageClassified, *, is_known: bool) -> Outcome | None:
    if result.fingerprint != head.batch.fingerprint:
        return "other_body"
    if result.index >= head.batch.size:
        return "out_of_range"
    return "late" if head.reason and not is_known else None


def _key_of(head: Head, index: int) -> bytes:
    return _row_key(head.batch.inference_id, head.batch.fingerprint, index)


def _row_key(inference_id: str, fingerprint: str, index: int) -> bytes:
    """The fingerprint stands in the key: a row of another body never takes the place of the right one.

    16 bytes of id, 8 of fingerprint, 1 of index: every row is written twice, with its value and when it goes.
    """
    return bytes.fromhex(inference_id.replace("-", "") + fingerprint[:_FINGERPRINT_LETTERS]) + bytes((index,))


def _batch_of(key: bytes) -> bytes:
    """What the keys of all rows of a batch and a body begin with."""
    return key[:-1]


def inference_of(key: bytes) -> str:
    """Read the id in a row's key."""
    return str(UUID(bytes=key[:16]))


def _row_of(result: ImageClassified) -> bytes:
    """Write a row, without what is absent."""
    row = result.model_dump_json(include=_ROW_FIELDS).encode()
    for absent in _ABSENT:
        row = row.replace(absent, b"")
    return row


def _marked(marker: bytes) -> tuple[datetime, EmailStatus]:
    """Read a sent marker: when the batch was finished, and what became of its mail."""
    moment, _, status = marker.decode().partition(" ")
    return datetime.fromisoformat(moment), _EMAIL_STATUS.validate_python(status)
