"""Gathering the results of batches, on mappings: Faust's tables when it runs, dicts in tests. Pure.

Rows are written once per image, the head of a batch when it opens, closes and is retried, the sent marker once. What
was received is derived from the rows, so that a crash between any two writes loses nothing.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from schemas.events import BatchSubmitted, EmailStatus, EndReason, ImageClassified, InferenceStatus
from schemas.fields import UtcTime
from schemas.results import ResultItem

Table = MutableMapping[bytes, bytes]
Outcome = Literal["new", "duplicate", "late", "other_body", "out_of_range"]


class Row(ResultItem):
    """The result of one image as the table keeps it."""

    classified_at: UtcTime


_ROW_FIELDS: Final = set(Row.model_fields)


class Head(BaseModel):
    """A batch from its record until its mail was handed over."""

    model_config = ConfigDict(frozen=True)

    batch: BatchSubmitted
    reason: EndReason | None = None
    """Why it was closed; None while it is open."""
    closed_at: UtcTime | None = None
    attempts: int = 0
    """Attempts to mail that failed in a way that may pass."""
    next_attempt_at: UtcTime | None = None


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

    def forget(self) -> None:
        """Drop what was derived from the tables: after a rebalance they are others."""
        self._received.clear()

    def head(self, inference_id: str) -> Head | None:
        """Find an unfinished batch."""
        found = self._tables.head.get(inference_id.encode())
        return Head.model_validate_json(found) if found else None

    def heads(self) -> Iterator[Head]:
        """All unfinished batches."""
        for value in list(self._tables.head.values()):
            yield Head.model_validate_json(value)

    def is_sent(self, inference_id: str) -> bool:
        """Say whether the batch's mail was handed over, or given up."""
        return inference_id.encode() in self._tables.sent

    def open(self, batch: BatchSubmitted) -> bool:
        """Take a batch record; the first one of an id decides. Returns whether it is new."""
        if self.is_sent(batch.inference_id) or self.head(batch.inference_id) is not None:
            return False
        self._write_head(Head(batch=batch))
        return True

    def add(self, result: ImageClassified) -> Outcome:
        """Take a result; the first one of an image wins, and only those of the batch's own body count."""
        if self.is_sent(result.inference_id):
            return "late"
        head = self.head(result.inference_id)
        if head is not None and (refusal := _refusal(head, result)) is not None:
            return refusal
        key = _row_key(result.inference_id, result.fingerprint, result.index)
        if key in self._tables.rows:
            return "duplicate"
        self._tables.rows[key] = result.model_dump_json(include=_ROW_FIELDS).encode()
        if head is not None:
            self._received_of(head)[result.index] = result.status == "succeeded"
        return "new"

    def is_complete(self, head: Head) -> bool:
        """Say whether all results are here."""
        return len(self._received_of(head)) == head.batch.size

    def close(self, head: Head, reason: EndReason, now: datetime) -> Head:
        """End a batch: its rows are now as they will be reported."""
        return self._write_head(head.model_copy(update={"reason": reason, "closed_at": now, "next_attempt_at": now}))

    def postpone(self, head: Head, until: datetime) -> Head:
        """Note that the mail will be tried again later."""
        return self._write_head(head.model_copy(update={"attempts": head.attempts + 1, "next_attempt_at": until}))

    def mark_sent(self, inference_id: str, now: datetime) -> None:
        """Note that the mail was handed over, or given up; outlives everything else of the batch."""
        self._tables.sent[inference_id.encode()] = now.isoformat().encode()

    def drop(self, head: Head) -> None:
        """Remove the rows and the head of a batch that is finished."""
        for index in self._received_of(head):
            del self._tables.rows[_row_key(head.batch.inference_id, head.batch.fingerprint, index)]
        del self._tables.head[head.batch.inference_id.encode()]
        del self._received[head.batch.inference_id]

    def old_markers(self, now: datetime, age: timedelta) -> list[str]:
        """List the finished batches whose markers are older than any record that could bring them back."""
        return [
            key.decode()
            for key, value in list(self._tables.sent.items())
            if now - datetime.fromisoformat(value.decode()) > age
        ]

    def drop_marker(self, inference_id: str) -> None:
        """Forget that a batch was finished."""
        self._tables.sent.pop(inference_id.encode(), None)

    def rows(self, head: Head) -> dict[int, Row]:
        """All results of a batch, by index."""
        found = {}
        for index in range(head.batch.size):
            value = self._tables.rows.get(_row_key(head.batch.inference_id, head.batch.fingerprint, index))
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
        )

    def _write_head(self, head: Head) -> Head:
        self._tables.head[head.batch.inference_id.encode()] = head.model_dump_json().encode()
        return head

    def _received_of(self, head: Head) -> dict[int, bool]:
        """Index and success of each received image; read from the rows once, then kept along."""
        known = self._received.get(head.batch.inference_id)
        if known is None:
            known = {index: row.status == "succeeded" for index, row in self.rows(head).items()}
            self._received[head.batch.inference_id] = known
        return known


def _refusal(head: Head, result: ImageClassified) -> Outcome | None:
    if result.fingerprint != head.batch.fingerprint:
        return "other_body"
    if result.index >= head.batch.size:
        return "out_of_range"
    return "late" if head.reason else None


def _row_key(inference_id: str, fingerprint: str, index: int) -> bytes:
    """The fingerprint stands in the key: a row of another body never takes the place of the right one."""
    return f"{inference_id}|{fingerprint[:16]}|{index}".encode()
