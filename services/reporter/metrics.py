"""What the reporter counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

RESULTS: Final = Counter("huestream_reporter_results_total", "Results read, by what became of them", ["outcome"])
BATCHES: Final = Counter("huestream_reporter_batches_total", "Batches that ended, by reason", ["reason"])
BATCH_RECORDS: Final = Counter(
    "huestream_reporter_batch_records_total", "Batch records read, by what became of them", ["outcome"]
)
OPEN_BATCHES: Final = Gauge("huestream_reporter_open_batches", "Batches that wait for results")
UNMAILED_BATCHES: Final = Gauge("huestream_reporter_unmailed_batches", "Batches that have ended and are not mailed yet")
MAILS: Final = Counter("huestream_reporter_mails_total", "Attempts to hand over a mail, by outcome", ["outcome"])
MAILS_FAILED: Final = Counter(
    "huestream_reporter_mails_failed_total", "Mails that were given up, by reason", ["reason"]
)
UNMARKED_MAILS: Final = Counter(
    "huestream_reporter_unmarked_mails_total",
    "Mails that went while the batch went to another process, and may go again",
)
MAIL_SECONDS: Final = Histogram("huestream_reporter_mail_seconds", "Time from the end of a batch to its mail")
STORE_FAILURES: Final = Counter("huestream_reporter_store_failures_total", "Reports that could not be stored at once")
PURGED_ROWS: Final = Counter("huestream_reporter_purged_rows_total", "Rows removed that no report wanted")
PURGED_REPORTS: Final = Counter("huestream_reporter_purged_reports_total", "Reports removed after their retention")
DEAD_LETTERS: Final = Counter("huestream_reporter_dead_letters_total", "Records that could not be used")

WEBHOOKS: Final = Counter("huestream_reporter_webhooks_total", "Attempts to send a webhook, by state", ["state"])

RESULTS_BY_OUTCOME: Final = {
    outcome: RESULTS.labels(outcome) for outcome in ("new", "duplicate", "late", "other_body", "out_of_range")
}
for outcome in ("new", "known", "finished", "other_body", "contradicting"):
    BATCH_RECORDS.labels(outcome)
for reason in ("complete", "deadline", "canceled"):
    BATCHES.labels(reason)
for outcome in ("sent", "retry", "refused", "ambiguous", "away", "no_address"):
    MAILS.labels(outcome)
for reason in ("refused", "given_up", "unwritable"):
    MAILS_FAILED.labels(reason)
for state in ("sent", "retrying", "failed"):
    WEBHOOKS.labels(state)
