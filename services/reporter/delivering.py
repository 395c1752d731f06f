"""From a closed batch to its finished report: stored, mailed, marked, told; each step safe to repeat."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from schemas.events import ApiKey, EmailStatus, InferenceStatus
from schemas.results import Report, report_path, results_csv_path, results_ndjson_path
from services.reporter import metrics
from services.reporter.gathering import Gathering, Head
from services.reporter.links import view_link
from services.reporter.mail import mail_of
from services.reporter.mailer import Handover, hand_over
from services.reporter.reports import csv_of, ndjson_of, report_of
from services.reporter.settings import ReporterSettings
from services.runtime.logs import Logger
from services.runtime.object_store import ObjectFolder

_LONGEST_PAUSE = timedelta(hours=1)

FindKey = Callable[[str], ApiKey | None]
TellStatus = Callable[[InferenceStatus], Awaitable[None]]


class Delivery:
    """Finishes batches that are closed."""

    def __init__(
        self,
        settings: ReporterSettings,
        gathering: Gathering,
        store: ObjectFolder,
        find_key: FindKey,
        tell: TellStatus,
        log: Logger,
    ) -> None:
        self._settings = settings
        self._gathering = gathering
        self._store = store
        self._find_key = find_key
        self._tell = tell
        self._log = log

    async def deliver(self, inference_id: str, now: datetime) -> None:
        """Store and mail one report; a batch that was mailed before is only tidied up."""
        head = self._gathering.head(inference_id)
        if head is None or head.reason is None:
            return
        if self._gathering.is_sent(inference_id):
            await self._finish(head, now, "sent")
            return
        report = report_of(head, self._gathering.rows(head), head.reason)
        email_status = await self._store_and_mail(head, report, now)
        if email_status == "retrying":
            head = self._gathering.postpone(head, now + self._pause(head.attempts))
            await self._tell(self._status(head, now, "retrying"))
            return
        self._gathering.mark_sent(inference_id, now)
        await self._finish(head, now, email_status)

    async def _store_and_mail(self, head: Head, report: Report, now: datetime) -> EmailStatus:
        key = self._find_key(report.key_id)
        mail = self._mail(report, key.email) if key and key.email else None
        await self._keep(report, mail)
        if mail is None or key is None or key.email is None:
            metrics.MAILS.labels("no_address").inc()
            self._log.warning("no_address", inference_id=report.inference_id, key_id=report.key_id)
            return "none"
        outcome = await hand_over(self._settings, mail, key.email)
        metrics.MAILS.labels(outcome).inc()
        self._log.info("mail", inference_id=report.inference_id, outcome=outcome, attempts=head.attempts + 1)
        return self._email_status(outcome, head, now)

    def _mail(self, report: Report, recipient: str) -> bytes:
        told = self._settings
        link = view_link(report, told.public_url, told.link_secret, told.retention_days)
        return mail_of(report, told.mail_from, recipient, link)

    def _email_status(self, outcome: Handover, head: Head, now: datetime) -> EmailStatus:
        if outcome == "sent":
            return "sent"
        tried_for = now - (head.closed_at or now)
        given_up = tried_for.total_seconds() >= self._settings.mail_give_up_seconds
        return "failed" if outcome == "refused" or given_up else "retrying"

    async def _keep(self, report: Report, mail: bytes | None) -> None:
        folder = report_path(report.inference_id).rpartition("/")[0]
        await self._store.put(results_csv_path(report.inference_id), csv_of(report))
        await self._store.put(results_ndjson_path(report.inference_id), ndjson_of(report))
        if mail is not None:
            await self._store.put(f"{folder}/mail.eml", mail)
        # Last: whoever finds the report finds everything.
        await self._store.put(report_path(report.inference_id), report.model_dump_json().encode())

    async def _finish(self, head: Head, now: datetime, email_status: EmailStatus) -> None:
        await self._tell(self._status(head, now, email_status))
        self._gathering.drop(head)

    def _status(self, head: Head, now: datetime, email_status: EmailStatus) -> InferenceStatus:
        status = self._gathering.status(head, now, email_status)
        expires_at = (head.closed_at or now) + timedelta(days=self._settings.retention_days)
        return status.model_copy(update={"expires_at": expires_at})

    def _pause(self, attempts: int) -> timedelta:
        first = timedelta(seconds=self._settings.mail_retry_seconds)
        return min(first * float(2 ** min(attempts, 20)), _LONGEST_PAUSE)
