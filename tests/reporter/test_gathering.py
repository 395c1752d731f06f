"""Whatever order events arrive in, however often, and wherever the process dies: one report with every image."""

from collections.abc import MutableMapping
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.events import BatchSubmitted, CancellationRequested, ControlTick, ImageClassified, ReportReady
from schemas.results import Report
from services.reporter.collecting import Collector, due
from services.reporter.gathering import Gathering, Head, Tables
from services.reporter.reports import report_of
from services.runtime.logs import configure_logs
from tests.reporter.examples import (
    FINGERPRINT,
    INFERENCE_ID,
    NOW,
    OTHER_FINGERPRINT,
    batch,
    cancellation,
    classification,
    result,
)

LATER = NOW + timedelta(minutes=2)
LATE = NOW + timedelta(hours=2)
LOG = configure_logs("test", "error")


def gathering() -> Gathering:
    return Gathering(Tables(rows={}, head={}, sent={}))


def test_a_row_of_another_body_never_takes_the_place_of_the_right_one() -> None:
    gathered = gathering()
    assert gathered.add(result(0, OTHER_FINGERPRINT)) == "new"  # before the batch record nobody knows
    gathered.open(batch(1))
    assert gathered.add(result(0)) == "new"
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    assert gathered.is_complete(head)
    assert gathered.add(result(0, OTHER_FINGERPRINT)) == "other_body"


def test_the_first_batch_record_of_an_id_decides() -> None:
    gathered = gathering()
    assert gathered.open(batch(2))
    assert not gathered.open(batch(3, OTHER_FINGERPRINT))
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    assert (head.batch.size, head.batch.fingerprint) == (2, FINGERPRINT)


def test_an_index_outside_of_the_batch_is_told_and_kept_out() -> None:
    gathered = gathering()
    gathered.open(batch(2))
    assert gathered.add(result(2)) == "out_of_range"


def test_a_row_stays_under_a_kilobyte() -> None:
    rows: dict[bytes, bytes] = {}
    Gathering(Tables(rows=rows, head={}, sent={})).add(result(0))
    assert max(map(len, rows.values())) < 1024


@pytest.mark.parametrize(
    "change",
    [
        {"label": None},
        {"background": classification().background.model_copy(update={"hex": None, "kind": "none"})},
    ],
    ids=["no-label", "no-background"],
)
def test_a_row_is_read_again_as_it_was_written(change: dict[str, object]) -> None:
    gathered = gathering()
    gathered.open(batch(2))
    written = result(0, classification=classification().model_copy(update=change), custom_id=None)
    gathered.add(written)
    gathered.forget()
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    assert gathered.rows(head)[0].classification == written.classification
    assert gathered.status(head, NOW).succeeded == 1


def test_what_is_finished_leaves_nothing_but_its_marker() -> None:
    tables = Tables(rows={}, head={}, sent={})
    gathered = Gathering(tables)
    gathered.open(batch(2))
    for index in range(2):
        gathered.add(result(index))
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    gathered.mark_sent(INFERENCE_ID, NOW)
    gathered.drop(head)
    assert (tables.rows, tables.head, len(tables.sent)) == ({}, {}, 1)
    assert gathered.add(result(1)) == "late"
    assert not gathered.open(batch(2))
    assert gathered.old_markers(LATE, timedelta(days=1)) == []
    assert gathered.old_markers(LATE, timedelta(hours=1)) == [INFERENCE_ID]


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (Head(batch=batch()), "deadline"),
        (Head(batch=batch(), reason="complete", closed_at=NOW, next_attempt_at=NOW), "resend"),
        (Head(batch=batch(), reason="complete", closed_at=NOW, next_attempt_at=LATE + timedelta(1)), None),
    ],
)
def test_time_alone_brings_the_deadline_and_the_next_attempt(head: Head, what: str | None) -> None:
    assert due(head, LATE) == what
    assert due(Head(batch=batch()), NOW) is None


async def canceled_report(*events: object) -> Report:
    """Let a collector take events, and build the report of the batch that they end."""
    gathered = gathering()
    collector = Collector(gathered, _nowhere, LOG)
    for event in events:
        if isinstance(event, ImageClassified):
            await collector.add(event, LATER)
        elif isinstance(event, BatchSubmitted):
            await collector.open(event, LATER)
        elif isinstance(event, CancellationRequested):
            await collector.cancel(event, LATER)
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    assert head.reason is not None
    status = gathered.status(head, LATER)
    assert (status.reason, status.state, status.pending) == (head.reason, "completed", 0)
    return report_of(head, gathered.rows(head), head.reason)


async def _nowhere(_: ReportReady) -> None:
    return


def codes(report: Report) -> list[str | None]:
    return [item.error.code if item.error else None for item in report.items]


async def test_of_a_canceled_batch_what_is_done_stays_and_the_rest_is_canceled() -> None:
    report = await canceled_report(batch(), result(0), cancellation(), result(1))
    assert (report.reason, report.finished_at, codes(report)) == ("canceled", LATER, [None, "canceled", "canceled"])


async def test_a_cancellation_may_be_read_before_the_batch_record() -> None:
    report = await canceled_report(result(0), cancellation(), batch(), result(1))
    assert (report.reason, codes(report)) == ("canceled", [None, "canceled", "canceled"])


async def test_a_cancellation_after_the_last_result_changes_nothing() -> None:
    report = await canceled_report(batch(), result(0), result(1), result(2), cancellation())
    assert (report.reason, codes(report)) == ("complete", [None, None, "fetch_timeout"])


async def test_a_cancellation_before_the_record_of_a_batch_that_is_done_changes_nothing() -> None:
    report = await canceled_report(result(0), result(1), result(2), cancellation(), batch())
    assert (report.reason, codes(report)) == ("complete", [None, None, "fetch_timeout"])


class CrashError(Exception):
    """The process dies."""


class ABatchIsReportedOnce(RuleBasedStateMachine):
    """Events in any order, doubled, with crashes between any two writes: the log is read again from the last commit."""

    SIZE = 4

    @initialize()
    def begin(self) -> None:
        self.tables: tuple[MutableMapping[bytes, bytes], ...] = ({}, {}, {})
        self.outbox: list[ReportReady] = []
        self.reports: set[bytes] = set()
        self.restart()

    def restart(self) -> None:
        rows, head, sent = self.tables
        self.gathering = Gathering(Tables(rows=rows, head=head, sent=sent))
        self.collector = Collector(self.gathering, self.emit, LOG)
        self.dies_at_emit = False

    async def emit(self, event: ReportReady) -> None:
        if self.dies_at_emit:
            raise CrashError
        self.outbox.append(event)

    def drive(self, work: object) -> None:
        """Run a coroutine that never really waits; a crash is a restart."""
        try:
            work.send(None)  # type: ignore[attr-defined]
        except StopIteration:
            pass
        except CrashError:
            self.restart()

    @rule(index=st.integers(0, SIZE - 1), fingerprint=st.sampled_from([FINGERPRINT, OTHER_FINGERPRINT]))
    def a_result_arrives(self, index: int, fingerprint: str) -> None:
        self.drive(self.collector.add(result(index, fingerprint), NOW))

    @rule()
    def the_batch_record_arrives(self) -> None:
        self.drive(self.collector.open(batch(self.SIZE), NOW))

    @rule()
    def the_batch_is_canceled(self) -> None:
        self.drive(self.collector.cancel(cancellation(self.SIZE), NOW))

    @rule()
    def the_process_restarts(self) -> None:
        self.restart()

    @rule()
    def the_process_will_die_before_the_outbox_is_durable(self) -> None:
        self.dies_at_emit = True

    @rule(late=st.booleans())
    def the_timer_runs(self, late: bool) -> None:  # noqa: FBT001  # hypothesis draws it
        now = LATE if late else NOW
        for tick in list(self.collector.due_ticks(now)):
            self.drive(self.collector.tick(ControlTick.decode(tick.encode()), now))

    @rule()
    def the_outbox_is_delivered(self) -> None:
        while self.outbox:
            ready = self.outbox.pop(0)
            head = self.gathering.head(ready.inference_id)
            if head is None or head.reason is None or self.gathering.is_sent(ready.inference_id):
                continue
            self.reports.add(report_of(head, self.gathering.rows(head), head.reason).model_dump_json().encode())
            self.gathering.mark_sent(ready.inference_id, NOW)
            self.gathering.drop(head)

    @invariant()
    def there_is_never_a_second_report(self) -> None:
        assert len(getattr(self, "reports", ())) <= 1

    def teardown(self) -> None:
        """In the end every image is in the one report: the log is replayed, the deadline passes."""
        if not hasattr(self, "tables"):
            return
        self.restart()
        self.drive(self.collector.open(batch(self.SIZE), NOW))
        self.the_timer_runs(late=True)
        self.the_outbox_is_delivered()
        assert len(self.reports) == 1
        [report] = self.reports
        assert report.count(b'"index":') == self.SIZE


TestABatchIsReportedOnce = ABatchIsReportedOnce.TestCase
TestABatchIsReportedOnce.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
