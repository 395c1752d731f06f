"""From a closed batch to its finished report: stored, mailed, marked, told; each step safe to repeat."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from schemas.events import ApiKey, EmailStatus, InferenceStatus
from schemas.results import Report, report_path, results_csv_path, results_ndjson_path
from services.reporter import metrics
from services.reporter.clock import Clock
from services.reporter.failpoints import Reach, survive
from services.reporter.gathering import Gathering, Head, LostPartitionError
from services.reporter.links import view_link
from services.reporter.mail import mail_of
from services.reporter.mailer import Handover, Mailer
from services.reporter.reports import csv_of, ndjson_of, report_of
from services.reporter.settings import ReporterSettings
from services.runtime.lag import age_seconds
from services.runtime.logs import Logger
from services.runtime.object_store import ObjectFolder, StoreUnavailableError
from services.runtime.trace_context import is_sampled, trace_id
from services.runtime.tracing import Span, Tracer, Untraced, bound

_LONGEST_PAUSE: Final = timedelta(hours=1)
_KEY_PATIENCE: Final = timedelta(seconds=30)
"""A key may be read later than the batch that was accepted with it."""
_KEY_PAUSE: Final = timedelta(seconds=2)

Bury = Callable[[str], Awaitable[None]]
"""Puts the outbox record of a mail that never goes into the dead letters, with the reason."""


@dataclass(frozen=True)
class Doors:
    """What the delivery reaches of the world around it."""

    store: ObjectFolder
    mailer: Mailer
    find_key: Callable[[str], ApiKey | None]
    tell: Callable[[InferenceStatus], Awaitable[None]]
    settle: Callable[[], Awaitable[None]]
    """Returns when the table writes so far are durable."""
    clock: Clock
    reach: Reach = survive
    tracer: Tracer = field(default_factory=Untraced)


class Delivery:
    """Finishes batches that are closed."""

    def __init__(self, settings: ReporterSettings, gathering: Gathering, doors: Doors, log: Logger) -> None:
        self._settings = settings
        self._gathering = gathering
        self._doors = doors
        self._log = log
        self._stored: set[str] = set()
        self._in_hand: set[str] = set()

    def forget(self) -> None:
        """Drop what is known of batches that may have gone to another process."""
        self._stored.clear()

    async def deliver(self, inference_id: str, bury: Bury) -> None:
        """Store and mail one report; a batch that was mailed before is only tidied up."""
        head = self._gathering.head(inference_id)
        if head is None or head.reason is None:
            return
        done = self._gathering.sent_status(inference_id)
        if done is not None:
            await self._end(head, done)  # the mark may be this process's own, left by one that died
        elif self._is_due(head) and inference_id not in self._in_hand:
            self._doors.reach("M2")
            self._in_hand.add(inference_id)
            try:
                with self._doors.tracer.span("report", head.traceparent) as span:
                    span.note(inference_id=inference_id, images=head.batch.size, reason=head.reason)
                    await self._try(head, span, bury)
            finally:
                self._in_hand.discard(inference_id)

    def _is_due(self, head: Head) -> bool:
        """Whether it is time; a batch that waits for the mail server alone goes on waiting while that is away."""
        if head.next_attempt_at is not None and head.next_attempt_at > self._doors.clock():
            return False
        return not head.attempts or self._doors.mailer.availability.room != 0 or self._is_given_up(head)

    async def _try(self, head: Head, span: Span, bury: Bury) -> None:
        report = report_of(head, self._gathering.rows(head), head.reason or "deadline")
        key = self._doors.find_key(report.key_id)
        if key is None and self._age(head) < _KEY_PATIENCE:
            await self._wait(head, _KEY_PAUSE)
            return
        recipient = key.email if key else None
        mail = self._written(report, recipient) if recipient else None
        if not await self._is_stored(report, mail, span) and not self._is_given_up(head):
            await self._wait(head, self._pause(head))
        elif recipient is None:
            self._log.warning("no_address", inference_id=report.inference_id, key_id=report.key_id)
            metrics.MAILS.labels("no_address").inc()
            await self._end(head, "none")
        elif mail is None:
            await self._fail(head, bury, "unwritable", "the mail could not be written")
        else:
            found = await self._handed_over(head, mail, recipient, span)
            await self._judge(head, found, bury)

    def _written(self, report: Report, recipient: str) -> bytes | None:
        """Write the mail; None where that fails, for then it fails always."""
        try:
            told = self._settings
            link = view_link(
                report.inference_id, report.finished_at, told.public_url, told.link_secret, told.retention_days
            )
            return mail_of(report, told.mail_from, recipient, link)
        except Exception:  # noqa: BLE001  # here texts of customers end; one that breaks the mail must not stop the others
            self._log.exception("mail_unwritable", inference_id=report.inference_id)
            return None

    async def _handed_over(self, head: Head, mail: bytes, recipient: str, span: Span) -> Handover:
        with metrics.SMTP_SECONDS.time(), self._doors.tracer.span("mail", span.traceparent) as mailing:
            found = await self._doors.mailer.hand_over(mail, recipient, head.batch.inference_id)
            mailing.note(outcome=found.outcome, attempts=head.attempts + 1)
        metrics.MAILS.labels(found.outcome).inc()
        bound(self._log, head.traceparent).info(
            "mail",
            inference_id=head.batch.inference_id,
            outcome=found.outcome,
            code=found.code,
            attempts=head.attempts + 1,
        )
        return found

    async def _judge(self, head: Head, found: Handover, bury: Bury) -> None:
        if found.outcome == "sent":
            self._doors.reach("M7")
            self._measure(head)
            await self._end_mailed(head)
        elif found.outcome == "refused":
            self._doors.reach("M4")
            await self._fail(head, bury, "refused", f"the mail server refused the mail with {found.code}")
        elif self._is_given_up(head):
            await self._fail(head, bury, "given_up", f"the mail did not go in time; last: {found.outcome}")
        else:
            await self._try_later(head, found)

    def _measure(self, head: Head) -> None:
        """Time what the customer waited: from the last result, and from the submission."""
        metrics.MAIL_SECONDS.observe(self._age(head).total_seconds())
        age, trace = age_seconds(head.batch.submitted_at, self._doors.clock()), head.traceparent
        metrics.MAILED.observe(age, {"trace_id": trace_id(trace)} if trace and is_sampled(trace) else None)

    async def _end_mailed(self, head: Head) -> None:
        try:
            await self._end(head, "sent")
        except LostPartitionError:
            metrics.UNMARKED_MAILS.inc()
            raise

    async def _try_later(self, head: Head, found: Handover) -> None:
        """Wait for the server, or with growing pauses where the trouble is this mail's own."""
        if found.outcome != "away":
            await self._wait(head, self._pause(head))
        elif not head.attempts:
            await self._wait(head, timedelta())

    async def _wait(self, head: Head, pause: timedelta) -> None:
        now = self._doors.clock()
        await self._doors.tell(self._status(self._gathering.postpone(head, now + pause), "retrying"))

    async def _fail(self, head: Head, bury: Bury, kind: str, reason: str) -> None:
        metrics.MAILS_FAILED.labels(kind).inc()
        await bury(reason)
        await self._end(head, "failed")

    async def _end(self, head: Head, email_status: EmailStatus) -> None:
        """Mark, and wait until that is durable: rows that are gone without a mark would make another report."""
        self._gathering.mark_sent(head.batch.inference_id, self._doors.clock(), email_status)
        await self._doors.settle()
        self._doors.reach("M8")
        await self._finish(head, email_status)

    async def _finish(self, head: Head, email_status: EmailStatus) -> None:
        await self._doors.tell(self._status(head, email_status))
        self._gathering.drop(head)
        self._stored.discard(head.batch.inference_id)

    async def _is_stored(self, report: Report, mail: bytes | None, span: Span) -> bool:
        if report.inference_id in self._stored:
            return True
        try:
            with metrics.STORE_SECONDS.time(), self._doors.tracer.span("store", span.traceparent):
                await self._keep(report, mail)
        except StoreUnavailableError as error:
            metrics.STORE_FAILURES.inc()
            self._log.error("report_not_stored", inference_id=report.inference_id, reason=str(error))
            return False
        self._stored.add(report.inference_id)
        return True

    async def _keep(self, report: Report, mail: bytes | None) -> None:
        store = self._doors.store
        forms = {
            results_csv_path(report.inference_id): csv_of(report),
            results_ndjson_path(report.inference_id): ndjson_of(report),
            mail_path(report.inference_id): mail,
        }
        await asyncio.gather(*(store.put(path, content) for path, content in forms.items() if content is not None))
        # Last: whoever finds the report finds everything.
        await store.put(report_path(report.inference_id), report.model_dump_json().encode())

    def _age(self, head: Head) -> timedelta:
        now = self._doors.clock()
        return now - (head.closed_at or now)

    def _is_given_up(self, head: Head) -> bool:
        return self._age(head).total_seconds() >= self._settings.mail_give_up_seconds

    def _pause(self, head: Head) -> timedelta:
        """Wait longer after each attempt, up to an hour."""
        seconds = self._settings.mail_retry_seconds * 2.0 ** min(head.attempts, 16)
        return min(timedelta(seconds=seconds), _LONGEST_PAUSE)

    def _status(self, head: Head, email_status: EmailStatus) -> InferenceStatus:
        now = self._doors.clock()
        status = self._gathering.status(head, now, email_status)
        expires_at = (head.closed_at or now) + timedelta(days=self._settings.retention_days)
        return status.model_copy(update={"expires_at": expires_at})


def mail_path(inference_id: str) -> str:
    """Where the report store keeps the mail of a batch, as it was handed over."""
    return f"{report_path(inference_id).rpartition('/')[0]}/mail.eml"
