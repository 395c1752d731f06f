"""What the reporter counts."""

from typing import Final

from prometheus_client import Counter, Gauge

RESULTS: Final = Counter("huestream_reporter_results_total", "Results read, by what became of them", ["outcome"])
BATCHES: Final = Counter("huestream_reporter_batches_total", "Batches that ended, by reason", ["reason"])
OPEN_BATCHES: Final = Gauge("huestream_reporter_open_batches", "Batches that wait for results")
MAILS: Final = Counter("huestream_reporter_mails_total", "Attempts to hand over a mail, by outcome", ["outcome"])
DEAD_LETTERS: Final = Counter("huestream_reporter_dead_letters_total", "Records that could not be used")

for outcome in ("new", "duplicate", "late", "other_body", "out_of_range"):
    RESULTS.labels(outcome)
for reason in ("complete", "deadline"):
    BATCHES.labels(reason)
for outcome in ("sent", "retry", "refused", "ambiguous", "no_address"):
    MAILS.labels(outcome)
