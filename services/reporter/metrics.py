"""What the reporter counts and times."""

from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram

from schemas.events import EndReason
from schemas.topics import (
    BATCHES_SUBMITTED,
    CANCELLATIONS_REQUESTED,
    IMAGES_CLASSIFIED,
    REPORTER_CONTROL,
    REPORTS_READY,
)
from services.runtime.metrics import AGES, DEAD_LETTERS, RECORDS, REDELIVERED, SECONDS, STAGE_SECONDS

RESULTS: Final = Counter("huestream_reporter_results_total", "Results read, by what became of them", ["outcome"])
BATCH_RECORDS: Final = Counter(
    "huestream_reporter_batch_records_total", "Batch records read, by what became of them", ["outcome"]
)
BATCHES: Final = Counter("huestream_reporter_batches_total", "Batches that ended, by reason", ["reason"])
IMAGES: Final = Counter(
    "huestream_reporter_images_total",
    "Images of the batches that ended, by what is reported of them; missing: no result came before the end",
    ["outcome"],
)
OPEN_BATCHES: Final = Gauge("huestream_reporter_open_batches", "Batches that wait for results")
OLDEST_OPEN_SECONDS: Final = Gauge(
    "huestream_reporter_oldest_open_batch_seconds", "Time since the oldest batch that waits for results was submitted"
)
OVERDUE_SECONDS: Final = Gauge(
    "huestream_reporter_overdue_seconds", "Time by which the deadline of an open batch has passed at most"
)
UNMAILED_BATCHES: Final = Gauge("huestream_reporter_unmailed_batches", "Batches that have ended and are not mailed yet")
OLDEST_UNMAILED_SECONDS: Final = Gauge(
    "huestream_reporter_oldest_unmailed_batch_seconds", "Time since the oldest batch that is not mailed yet ended"
)
RECOVERING_RECORDS: Final = Gauge(
    "huestream_reporter_recovering_records", "Records of the changelogs that the tables are behind"
)
MAILS: Final = Counter("huestream_reporter_mails_total", "Attempts to hand over a mail, by outcome", ["outcome"])
MAILS_FAILED: Final = Counter(
    "huestream_reporter_mails_failed_total", "Mails that were given up, by reason", ["reason"]
)
UNMARKED_MAILS: Final = Counter(
    "huestream_reporter_unmarked_mails_total",
    "Mails that went while the batch went to another process, and may go again",
)
MAIL_SECONDS: Final = Histogram(
    "huestream_reporter_mail_seconds", "Time from the end of a batch, its last result, to its mail", buckets=AGES
)
SMTP_SECONDS: Final = Histogram(
    "huestream_reporter_smtp_seconds", "Time of one attempt to hand over a mail", buckets=SECONDS
)
STORE_SECONDS: Final = Histogram("huestream_reporter_store_seconds", "Time to store one report", buckets=SECONDS)
STORE_FAILURES: Final = Counter("huestream_reporter_store_failures_total", "Reports that could not be stored at once")
PURGED_ROWS: Final = Counter("huestream_reporter_purged_rows_total", "Rows removed that no report wanted")
PURGED_REPORTS: Final = Counter("huestream_reporter_purged_reports_total", "Reports removed after their retention")
WEBHOOKS: Final = Counter("huestream_reporter_webhooks_total", "Attempts to send a webhook, by state", ["state"])

COLLECTED: Final = STAGE_SECONDS.labels("collected")
ENDED: Final = STAGE_SECONDS.labels("ended")
MAILED: Final = STAGE_SECONDS.labels("mailed")

RESULTS_BY_OUTCOME: Final = {
    outcome: RESULTS.labels(outcome) for outcome in ("new", "duplicate", "late", "other_body", "out_of_range")
}
for outcome in ("new", "known", "finished", "other_body", "contradicting"):
    BATCH_RECORDS.labels(outcome)
for reason in get_args(EndReason):
    BATCHES.labels(reason)
for outcome in ("succeeded", "failed", "missing"):
    IMAGES.labels(outcome)
for outcome in ("sent", "retry", "refused", "ambiguous", "away", "no_address"):
    MAILS.labels(outcome)
for reason in ("refused", "given_up", "unwritable"):
    MAILS_FAILED.labels(reason)
for state in ("sent", "retrying", "failed"):
    WEBHOOKS.labels(state)
for topic in (BATCHES_SUBMITTED, IMAGES_CLASSIFIED, CANCELLATIONS_REQUESTED, REPORTER_CONTROL, REPORTS_READY):
    RECORDS.labels(topic.name)
    REDELIVERED.labels(topic.name)
    DEAD_LETTERS.labels(topic.name)
