"""What the reporter does with each event: the logic between the streams and the tables, without Faust."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from schemas.events import (
    BatchSubmitted,
    CancellationRequested,
    ControlTick,
    EndReason,
    ImageClassified,
    InferenceStatus,
    ReportReady,
)
from services.reporter import metrics
from services.reporter.gathering import Gathering, Head
from services.runtime.logs import Logger

MARKER_AGE = timedelta(days=9)
"""Longer than any source topic keeps a record that could open a finished batch again."""

Emit = Callable[[ReportReady], Awaitable[None]]
Taken = Literal["taken", "unusable"]


class Collector:
    """Gathers results, closes batches that are complete, late or canceled, and puts them into the outbox."""

    def __init__(self, gathering: Gathering, emit: Emit, log: Logger) -> None:
        self._gathering = gathering
        self._emit = emit
        self._log = log
        self._changed: set[str] = set()
        self._emitted: dict[str, datetime] = {}

    def forget(self) -> None:
        """Drop what is known of partitions that may have gone to another process."""
        self._gathering.forget()
        self._changed.clear()
        self._emitted.clear()

    async def open(self, batch: BatchSubmitted, now: datetime) -> None:
        """Take a batch record."""
        if self._gathering.open(batch):
            self._changed.add(batch.inference_id)
        await self._close_if_complete(batch.inference_id, now)

    async def add(self, result: ImageClassified, now: datetime) -> Taken:
        """Take a result; says whether it could be used."""
        outcome = self._gathering.add(result)
        metrics.RESULTS.labels(outcome).inc()
        if outcome == "new":
            self._changed.add(result.inference_id)
        if outcome in {"new", "duplicate"}:
            await self._close_if_complete(result.inference_id, now)
        return "unusable" if outcome == "out_of_range" else "taken"

    async def cancel(self, request: CancellationRequested, now: datetime) -> None:
        """End a batch as it is; one that has ended already stays as it was."""
        await self.open(request.batch(), now)
        head = self._gathering.head(request.inference_id)
        if head is not None and head.reason is None:
            await self._close(head, "canceled", now)

    async def tick(self, tick: ControlTick, now: datetime) -> None:
        """Do what a timer found to be due, if it still is."""
        if tick.action == "purge":
            self._gathering.drop_marker(tick.inference_id)
            return
        head = self._gathering.head(tick.inference_id)
        if head is None or due(head, now) != tick.action:
            return
        if head.reason is None:
            await self._close(head, "complete" if self._gathering.is_complete(head) else "deadline", now)
        else:
            await self._put_out(head, head.reason, now)

    def due_ticks(self, now: datetime) -> Iterator[ControlTick]:
        """Find what is due: batches past their deadline, and closed ones whose mail is to be tried (again)."""
        waiting = 0
        for head in self._gathering.heads():
            waiting += head.reason is None
            action = due(head, now)
            if action is not None and not self._just_emitted(head, now):
                yield ControlTick(inference_id=head.batch.inference_id, action=action)
        metrics.OPEN_BATCHES.set(waiting)

    def old_markers(self, now: datetime) -> Iterator[ControlTick]:
        """Find the markers of batches that nothing can bring back."""
        for inference_id in self._gathering.old_markers(now, MARKER_AGE):
            yield ControlTick(inference_id=inference_id, action="purge")

    def changed_statuses(self, now: datetime) -> Iterator[InferenceStatus]:
        """The statuses of the open batches that changed since the last call."""
        changed, self._changed = self._changed, set()
        for inference_id in changed:
            head = self._gathering.head(inference_id)
            if head is not None and head.attempts == 0:
                yield self._gathering.status(head, now)

    def _just_emitted(self, head: Head, now: datetime) -> bool:
        """Whether the outbox already holds what is due, so that a slow mail server does not fill it."""
        emitted = self._emitted.get(head.batch.inference_id)
        return head.reason is not None and emitted is not None and emitted >= (head.next_attempt_at or now)

    async def _close_if_complete(self, inference_id: str, now: datetime) -> None:
        head = self._gathering.head(inference_id)
        if head is not None and head.reason is None and self._gathering.is_complete(head):
            await self._close(head, "complete", now)

    async def _close(self, head: Head, reason: EndReason, now: datetime) -> None:
        """Close first, so that the rows stay as they are; if we die in between, a tick puts it out later."""
        closed = self._gathering.close(head, reason, now)
        metrics.BATCHES.labels(reason).inc()
        self._log.info("batch_closed", inference_id=head.batch.inference_id, reason=reason, size=head.batch.size)
        await self._put_out(closed, reason, now)

    async def _put_out(self, head: Head, reason: EndReason, now: datetime) -> None:
        await self._emit(ReportReady(inference_id=head.batch.inference_id, reason=reason, ready_at=now))
        self._emitted[head.batch.inference_id] = now
        if len(self._emitted) > 10_000:
            self._emitted.clear()  # only spares repetition


def due(head: Head, now: datetime) -> Literal["deadline", "resend"] | None:
    """Say what a batch waits for that time alone brings."""
    if head.reason is None:
        return "deadline" if now >= head.batch.deadline_at else None
    return "resend" if head.next_attempt_at is not None and now >= head.next_attempt_at else None
