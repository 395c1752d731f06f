"""What this replica knows of all inferences: folded from the same topics as every other replica. Pure."""

from bisect import bisect_left, insort
from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from sys import intern
from typing import Final, Literal

from msgspec import Struct

from schemas.events import (
    BatchSubmitted,
    CancellationRequested,
    EmailStatus,
    Event,
    InferenceStatus,
    WebhookState,
    WebhookStatus,
)
from services.runtime.kafka import Record

REMEMBERED: Final = timedelta(days=30)
"""How long an inference whose results have expired is still known, to say so."""
_WITHOUT_STATUS: Final = timedelta(days=8)
"""Longer than the batch records are kept: one without any status by then was never reported."""
_AT_ONCE: Final = 1_000
"""Inferences that are looked at in half a millisecond."""

State = Literal["in_progress", "completed", "failed"]
Position = tuple[datetime, str]
"""Where an inference stands among all: its time, then its id."""


class Inference(Struct, gc=False):
    """One batch: its first record, and its newest status. It holds values only: nothing to the garbage collector."""

    inference_id: str
    key_id: str
    size: int
    created_at: datetime
    updated_at: datetime
    fingerprint: str | None = None
    """None where the batch record is no longer kept, and only the status is left."""
    state: State = "in_progress"
    succeeded: int = 0
    failed: int = 0
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    email_status: EmailStatus = "pending"
    webhook_status: WebhookState | None = None
    is_canceled: bool = False
    """Whether it was asked to be; its last results may have come first."""

    @property
    def position(self) -> Position:
        """Where it stands among all."""
        return self.created_at, self.inference_id

    def is_expired(self, now: datetime) -> bool:
        """Say whether its results are gone."""
        return self.expires_at is not None and self.expires_at <= now

    def is_forgettable(self, now: datetime) -> bool:
        """Say whether nobody will ask for it any more."""
        if self.expires_at is not None:
            return now - self.expires_at > REMEMBERED
        return self.state == "in_progress" and now - self.updated_at > _WITHOUT_STATUS


class Inferences:
    """All inferences by id, and by key in the order of their time; `changed` is told each id that changes."""

    def __init__(self, changed: Callable[[str], None] = lambda _: None) -> None:
        self._known: dict[str, Inference] = {}
        self._by_key: dict[str, list[Position]] = {}
        self._changed = changed

    def __len__(self) -> int:
        return len(self._known)

    def get(self, inference_id: str) -> Inference | None:
        """Find an inference."""
        return self._known.get(inference_id)

    def fold_batch(self, _: Record, event: Event) -> bool:
        """Take over a batch record of the log; returns whether it is new."""
        return isinstance(event, BatchSubmitted) and self.take(event)

    def take(self, batch: BatchSubmitted) -> bool:
        """Take over a batch record: the first one of an id decides. Returns whether this one does."""
        known = self._known.get(batch.inference_id)
        if known is not None and known.fingerprint is not None:
            return False
        if known is None:
            known = self._add(batch.inference_id, batch.key_id, batch.size, batch.submitted_at)
        known.fingerprint = batch.fingerprint
        self._changed(batch.inference_id)
        return True

    def fold_cancellation(self, _: Record, event: Event) -> None:
        """Take over that a batch was canceled."""
        if isinstance(event, CancellationRequested):
            self.cancel(event)

    def cancel(self, event: CancellationRequested) -> None:
        """Note that a batch was canceled; it may be known only later, by its own record."""
        known = self._known.get(event.inference_id)
        if known is None:
            known = self._add(event.inference_id, event.key_id, event.size, event.submitted_at)
        known.is_canceled = True
        self._changed(event.inference_id)

    def fold_status(self, _: Record, event: Event) -> None:
        """Take over a status: the newest one of an id holds."""
        if not isinstance(event, InferenceStatus):
            return
        known = self._known.get(event.inference_id)
        if known is None:
            known = self._add(event.inference_id, event.key_id, event.size, event.created_at)
        known.state, known.succeeded, known.failed = event.state, event.succeeded, event.failed
        known.updated_at, known.finished_at, known.expires_at = event.updated_at, event.finished_at, event.expires_at
        known.email_status = event.email_status
        known.is_canceled |= event.reason == "canceled"
        self._changed(event.inference_id)

    def fold_webhook(self, _: Record, event: Event) -> None:
        """Take over what became of a webhook; an inference that is not known any more needs none."""
        known = self._known.get(event.inference_id) if isinstance(event, WebhookStatus) else None
        if known is not None and isinstance(event, WebhookStatus):
            known.webhook_status = event.state
            self._changed(event.inference_id)

    def newest(self, key_ids: Iterable[str], limit: int, before: Position | None = None) -> list[Inference]:
        """List the newest inferences of some keys, or the newest of those that stand before a position."""
        found = merge(*(self._backwards(key_id, before) for key_id in key_ids), reverse=True)
        return [self._known[inference_id] for _, inference_id in islice(found, limit)]

    def forget_old(self, now: datetime) -> Generator[None, None, None]:
        """Drop what nobody will ask for any more, and yield where others may come in between."""
        known = list(self._known.values())
        for start in range(0, len(known), _AT_ONCE):
            for each in known[start : start + _AT_ONCE]:
                if each.is_forgettable(now):
                    self._forget(each)
            yield

    def _add(self, inference_id: str, key_id: str, size: int, created_at: datetime) -> Inference:
        known = Inference(inference_id, intern(key_id), size, created_at, created_at)
        self._known[inference_id] = known
        insort(self._by_key.setdefault(known.key_id, []), known.position)
        return known

    def _forget(self, known: Inference) -> None:
        del self._known[known.inference_id]
        positions = self._by_key[known.key_id]
        del positions[bisect_left(positions, known.position)]

    def _backwards(self, key_id: str, before: Position | None) -> Iterator[Position]:
        positions = self._by_key.get(key_id, [])
        end = len(positions) if before is None else bisect_left(positions, before)
        return (positions[number] for number in range(end - 1, -1, -1))
