"""Batches and their mails: what is open, what ended how, and what has not gone yet."""

from typing import Final

from deploy.watching.panels import BAD, GOOD, WARN, Dashboard, Panel, Query, Row, quantiles, rate, rising

_REASONS: Final = (("complete", GOOD), ("deadline", BAD), ("canceled", WARN))

REPORTER: Final = Dashboard(
    uid="huestream-reporter",
    title="huestream / Reporter and mail",
    description="Batches and their mails: what is open, what ended how, and what has not gone yet.",
    rows=(
        Row(
            "Batches",
            (
                Panel(
                    title="Open batches",
                    description="Batches that wait for results, and batches that ended and are not mailed yet, "
                    "by all reporters.",
                    unit="short",
                    queries=(
                        Query("sum(huestream_reporter_open_batches)", "open"),
                        Query("sum(huestream_reporter_unmailed_batches)", "not mailed yet"),
                    ),
                    width=6,
                ),
                Panel(
                    title="Oldest",
                    description="Time since the oldest open batch was submitted, and since the oldest that is "
                    "not mailed ended.",
                    unit="s",
                    queries=(
                        Query("max(huestream_reporter_oldest_open_batch_seconds)", "open, since its submission"),
                        Query("max(huestream_reporter_oldest_unmailed_batch_seconds)", "not mailed, since its end"),
                        Query("max(huestream_reporter_overdue_seconds)", "past its deadline"),
                    ),
                    width=6,
                ),
                Panel(
                    title="Batches ended, by reason",
                    description="complete: all images were there. deadline: some are missing. canceled: by its owner.",
                    unit="ops",
                    queries=(Query(rate("huestream_reporter_batches_total", "reason"), "{{reason}}"),),
                    kind="stacked",
                    width=6,
                    colors=_REASONS,
                ),
                Panel(
                    title="Images reported, by outcome",
                    description="Images of the batches that ended. missing: no result came before the end.",
                    unit="ops",
                    queries=(Query(rate("huestream_reporter_images_total", "outcome"), "{{outcome}}"),),
                    kind="stacked",
                    width=6,
                    colors=(("succeeded", GOOD), ("failed", WARN), ("missing", BAD)),
                ),
                Panel(
                    title="Results read, by what became of them",
                    description="new: kept. duplicate: delivered again. late: its batch had ended. other_body, "
                    "out_of_range: "
                    "no part of the batch that was accepted.",
                    unit="ops",
                    queries=(Query(rate("huestream_reporter_results_total", "outcome"), "{{outcome}}"),),
                ),
                Panel(
                    title="Batch records read, by what became of them",
                    description="new: opened. known, finished: delivered again. other_body, contradicting: refused.",
                    unit="ops",
                    queries=(Query(rate("huestream_reporter_batch_records_total", "outcome"), "{{outcome}}"),),
                ),
                Panel(
                    title="Recovering",
                    description="Changelog records that a reporter's tables are behind. Until it is 0 its "
                    "partitions stand still.",
                    unit="short",
                    queries=(Query("huestream_reporter_recovering_records", "{{instance}}"),),
                ),
            ),
        ),
        Row(
            "Mail",
            (
                Panel(
                    title="From the last result to the mail",
                    description="Time from the end of a batch until the mail server has its report.",
                    unit="s",
                    queries=quantiles("huestream_reporter_mail_seconds"),
                    width=6,
                ),
                Panel(
                    title="Mails, by outcome",
                    description="Attempts. sent; retry: put off; refused: for good; away: no server; ambiguous: "
                    "it may have it.",
                    unit="ops",
                    queries=(Query(rate("huestream_reporter_mails_total", "outcome"), "{{outcome}}"),),
                    kind="stacked",
                    width=6,
                    colors=(("sent", GOOD), ("away", BAD), ("refused", BAD), ("retry", WARN)),
                ),
                Panel(
                    title="Time of one attempt",
                    description="The dialog with the mail server, from the connection to its last word.",
                    unit="s",
                    queries=quantiles("huestream_reporter_smtp_seconds"),
                    width=6,
                ),
                Panel(
                    title="Given up within the hour, by reason",
                    description="Mails that will not go: refused by the server, tried for a day, or not written. "
                    "may have doubled: sent while the batch moved to another reporter.",
                    unit="short",
                    queries=(
                        Query("sum by (reason) (increase(huestream_reporter_mails_failed_total[1h]))", "{{reason}}"),
                        Query("sum(increase(huestream_reporter_unmarked_mails_total[1h]))", "may have doubled"),
                    ),
                    kind="bars",
                    width=6,
                    steps=rising(1, 10),
                    decimals=0,
                ),
            ),
        ),
        Row(
            "Store and webhooks",
            (
                Panel(
                    title="Time to store a report",
                    description="One report, into the folder or bucket.",
                    unit="s",
                    queries=quantiles("huestream_reporter_store_seconds"),
                    width=6,
                ),
                Panel(
                    title="Reports not stored at once",
                    description="Failures a second. They are tried again; mails wait for them, for a day at most.",
                    unit="ops",
                    queries=(Query(rate("huestream_reporter_store_failures_total"), "failures"),),
                    width=6,
                ),
                Panel(
                    title="Webhooks, by state",
                    description="Attempts to tell a receiver. retrying: it did not answer with 2xx; failed: for a day.",
                    unit="ops",
                    queries=(Query(rate("huestream_reporter_webhooks_total", "state"), "{{state}}"),),
                    width=6,
                ),
                Panel(
                    title="Removed after their time",
                    description="Reports past their retention, and rows that no report wanted, within the hour.",
                    unit="short",
                    queries=(
                        Query("sum(increase(huestream_reporter_purged_reports_total[1h]))", "reports"),
                        Query("sum(increase(huestream_reporter_purged_rows_total[1h]))", "rows"),
                    ),
                    width=6,
                ),
            ),
        ),
    ),
)
