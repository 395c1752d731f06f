"""What the reporter does with each event: the logic between the streams and the tables, without Faust."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

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
from services.reporter.failpoints import Reach, survive
from services.reporter.gathering import Gathering, Head, Opened, inference_of
from services.reporter.limits import GENEROUS, Limits
from services.runtime.lag import age_seconds
from services.runtime.logs import Logger

MARKER_AGE: Final = timedelta(days=9)
"""Longer than any source topic keeps a record that could open a finished batch again."""
_CHECKS_AT_ONCE: Final = 50

Emit = Callable[[ReportReady], Awaitable[None]]
Taken = Literal["taken", "unusable"]


async def _at_once() -> None:
    """Where writes are durable when they are made."""


@dataclass(frozen=True)
class Surroundings:
    """What the collector asks of the world around it."""

    emit: Emit
    """Writes to the outbox, and returns when that is durable."""
    caught_up: Callable[[str, datetime], bool] = lambda _inference_id, _now: True
    """Whether the results of a batch that lay in the log when it was first asked for are taken by now."""
    mail_room: Callable[[], int | None] = lambda: None
    """How many mails are worth a trial just now; None where that is not known to be limited."""
    settle: Callable[[], Awaitable[None]] = _at_once
    """Returns when all table writes so far are durable."""
    reach: Reach = survive


class Collector:
    """Gathers results, closes batches that are complete, late or canceled, and puts them into the outbox."""

    def __init__(self, gathering: Gathering, around: Surroundings, log: Logger, limits: Limits = GENEROUS) -> None:
        self._gathering = gathering
        self._around = around
        self._log = log
        self._limits = limits
        self._changed: set[str] = set()
        self._in_outbox: set[str] = set()
        self._checked: set[str] = set()
        self._orphans: dict[str, list[bytes]] = {}

    def forget(self) -> None:
        """Drop what is known of partitions that may have gone to another process."""
        self._gathering.forget()
        for known in (self._changed, self._in_outbox, self._checked, self._orphans):
            known.clear()

    async def open(self, batch: BatchSubmitted, now: datetime, traceparent: str | None = None) -> Opened:
        """Take a batch record, and the trace that it came with."""
        opened = self._gathering.open(batch, now + self._limits.batch, traceparent)
        metrics.BATCH_RECORDS.labels(opened).inc()
        if opened == "new":
            self._changed.add(batch.inference_id)
        await self._close_if_complete(batch.inference_id, now)
        return opened

    async def add(self, result: ImageClassified, now: datetime) -> Taken:
        """Take a result; says whether it could be used."""
        outcome = self._gathering.add(result)
        metrics.RESULTS_BY_OUTCOME[outcome].inc()
        if outcome == "new":
            self._changed.add(result.inference_id)
            if (head := self._gathering.head(result.inference_id)) is not None:
                metrics.COLLECTED.observe(age_seconds(head.batch.submitted_at, now))
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
        head = self._gathering.head(tick.inference_id)
        if tick.action == "purge":
            self._purge(tick.inference_id, now)
        elif head is None:
            return
        elif head.reason is not None:
            await self._put_out_again(head, head.reason, now)
        else:
            await self._close_if_complete(tick.inference_id, now)
            if self._is_late(head, now) and self._gathering.head(tick.inference_id) == head:
                await self._close(head, "deadline", now)

    def delivered(self, inference_id: str) -> None:
        """Note that the outbox no longer holds a batch: it was mailed, or has to wait."""
        self._in_outbox.discard(inference_id)

    def due_ticks(self, now: datetime) -> Iterator[ControlTick]:
        """Find what is due: batches past their deadline, and closed ones whose mail is to be tried (again)."""
        heads = list(self._gathering.heads())
        still_open = [head for head in heads if head.reason is None]
        unmailed = [head for head in heads if head.reason is not None]
        _measure(still_open, unmailed, now)
        for head in self._to_be_looked_at(still_open, now):
            yield ControlTick(inference_id=head.batch.inference_id, action="deadline")
        for head in self._to_be_mailed(unmailed, now):
            yield ControlTick(inference_id=head.batch.inference_id, action="resend")

    def old_markers(self, now: datetime) -> Iterator[ControlTick]:
        """Find the markers of batches that nothing can bring back."""
        for inference_id in self._gathering.old_markers(now, MARKER_AGE):
            yield ControlTick(inference_id=inference_id, action="purge")

    def orphans(self, keys: Sequence[bytes], now: datetime) -> Iterator[ControlTick]:
        """Find rows that no report will ever want among those with these keys."""
        for key in keys:
            if self._gathering.is_orphan(key, now, MARKER_AGE):
                inference_id = inference_of(key)
                is_first = inference_id not in self._orphans
                self._orphans.setdefault(inference_id, []).append(key)
                if is_first:
                    yield ControlTick(inference_id=inference_id, action="purge")

    def changed_statuses(self, now: datetime) -> Iterator[InferenceStatus]:
        """The statuses of the open batches that changed since the last call."""
        changed, self._changed = self._changed, set()
        for inference_id in changed:
            head = self._gathering.head(inference_id)
            # Once it is sent its last status is told, while its head is still here.
            if head is not None and head.attempts == 0 and not self._gathering.is_sent(inference_id):
                yield self._gathering.status(head, now)

    def tell_again(self, inference_ids: Sequence[str]) -> None:
        """Note that statuses were not told."""
        self._changed.update(inference_ids)

    def _to_be_looked_at(self, heads: Sequence[Head], now: datetime) -> Iterator[Head]:
        """Those past their deadline; after a restart all, once: the last process may have died before it closed one."""
        unchecked = [head for head in heads if head.batch.inference_id not in self._checked]
        yield from unchecked[:_CHECKS_AT_ONCE]
        yield from (head for head in heads if head not in unchecked and self._is_late(head, now))

    def _is_late(self, head: Head, now: datetime) -> bool:
        """Whether the deadline has passed, and what was in the log by then is taken."""
        return now >= head.deadline_at and self._around.caught_up(head.batch.inference_id, now)

    def _to_be_mailed(self, heads: Sequence[Head], now: datetime) -> Iterator[Head]:
        """Those whose mail is due, while the mail server has room for them, and those to be given up."""
        due = sorted((head for head in heads if self._is_to_be_put_out(head, now)), key=_next_attempt)
        room = self._around.mail_room()
        yield from due[:room]
        if room is not None:
            yield from (head for head in due[room:] if head.closed_at and now - head.closed_at >= self._limits.mail)

    def _is_to_be_put_out(self, head: Head, now: datetime) -> bool:
        """Whether a mail is due that the outbox does not hold, so that a slow mail server does not fill it."""
        is_due = head.next_attempt_at is not None and now >= head.next_attempt_at
        return is_due and head.batch.inference_id not in self._in_outbox

    def _purge(self, inference_id: str, now: datetime) -> None:
        self._gathering.drop_marker(inference_id, now, MARKER_AGE)
        for key in self._orphans.pop(inference_id, ()):
            if self._gathering.is_orphan(key, now, MARKER_AGE):
                self._gathering.drop_row(key)
                metrics.PURGED_ROWS.inc()

    async def _close_if_complete(self, inference_id: str, now: datetime) -> None:
        self._checked.add(inference_id)
        head = self._gathering.head(inference_id)
        if head is not None and head.reason is None and self._gathering.is_complete(head):
            await self._close(head, "complete", now)

    async def _close(self, head: Head, reason: EndReason, now: datetime) -> None:
        """Close for good before the outbox knows: what is reported may never change again.

        If we die in between, a tick puts it out later.
        """
        self._checked.discard(head.batch.inference_id)
        closed = self._gathering.close(head, reason, now)
        self._count_end(closed, reason, now)
        self._log.info("batch_closed", inference_id=head.batch.inference_id, reason=reason, size=head.batch.size)
        await self._around.settle()
        self._around.reach("M1")
        await self._put_out(closed, reason, now)

    def _count_end(self, head: Head, reason: EndReason, now: datetime) -> None:
        metrics.BATCHES.labels(reason).inc()
        metrics.ENDED.observe(age_seconds(head.batch.submitted_at, now))
        for outcome, count in self._gathering.counts(head).items():
            metrics.IMAGES.labels(outcome).inc(count)

    async def _put_out_again(self, head: Head, reason: EndReason, now: datetime) -> None:
        if self._is_to_be_put_out(head, now):
            self._gathering.write_again(head)
            await self._around.settle()
            await self._put_out(head, reason, now)

    async def _put_out(self, head: Head, reason: EndReason, now: datetime) -> None:
        self._in_outbox.add(head.batch.inference_id)
        await self._around.emit(ReportReady(inference_id=head.batch.inference_id, reason=reason, ready_at=now))


def _next_attempt(head: Head) -> datetime:
    return head.next_attempt_at or head.deadline_at


def _measure(still_open: Sequence[Head], unmailed: Sequence[Head], now: datetime) -> None:
    """Say how many batches wait, and for how long."""
    metrics.OPEN_BATCHES.set(len(still_open))
    metrics.UNMAILED_BATCHES.set(len(unmailed))
    metrics.OLDEST_OPEN_SECONDS.set(_longest(now, (head.batch.submitted_at for head in still_open)))
    metrics.OVERDUE_SECONDS.set(_longest(now, (head.deadline_at for head in still_open)))
    metrics.OLDEST_UNMAILED_SECONDS.set(_longest(now, (head.closed_at or now for head in unmailed)))


def _longest(now: datetime, since: Iterable[datetime]) -> float:
    return age_seconds(min(since, default=now), now)
