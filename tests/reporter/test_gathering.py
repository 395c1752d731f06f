"""Whatever order events arrive in, however often, and wherever the process dies: one report with every image."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.events import (
    BatchSubmitted,
    CancellationRequested,
    ControlTick,
    EndReason,
    ImageClassified,
    ReportReady,
)
from schemas.results import Report
from services.reporter.clock import steady_clock
from services.reporter.collecting import Collector, Surroundings
from services.reporter.gathering import Gathering, Head, Row, Tables
from services.reporter.limits import Limits
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
    assert gathered.open(batch(2)) == "new"
    assert gathered.open(batch(3, OTHER_FINGERPRINT)) == "other_body"
    assert gathered.open(batch(3)) == "contradicting"
    assert gathered.open(batch(2)) == "known"
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
    assert gathered.open(batch(2)) == "finished"
    assert gathered.old_markers(LATE, timedelta(days=1)) == []
    assert gathered.old_markers(LATE, timedelta(hours=1)) == [INFERENCE_ID]


async def taken(collector: Collector, *events: object, now: datetime = NOW) -> None:
    """Let a collector take events."""
    for event in events:
        if isinstance(event, ImageClassified):
            await collector.add(event, now)
        elif isinstance(event, BatchSubmitted):
            await collector.open(event, now)
        elif isinstance(event, CancellationRequested):
            await collector.cancel(event, now)
        elif isinstance(event, ControlTick):
            await collector.tick(event, now)


def due(collector: Collector, now: datetime) -> list[str]:
    return [tick.action for tick in collector.due_ticks(now)]


async def test_the_deadline_ends_a_batch_once_what_lay_in_the_log_is_read() -> None:
    caught_up = False
    gathered = gathering()
    collector = Collector(gathered, Surroundings(_nowhere, lambda *_: caught_up), LOG)
    await taken(collector, batch(2), result(0))
    assert due(collector, NOW) == due(collector, LATE) == []
    caught_up = True
    assert due(collector, LATE) == ["deadline"]
    await taken(collector, *collector.due_ticks(LATE), now=LATE)
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    assert head.reason == "deadline"
    assert due(collector, LATE) == []  # the outbox holds it


@pytest.mark.parametrize("jump", [timedelta(hours=2), -timedelta(hours=2)], ids=["forward", "back"])
async def test_a_clock_that_jumps_ends_a_batch_neither_early_nor_twice(jump: timedelta) -> None:
    times, seconds = [NOW], [0.0]
    clock = steady_clock(lambda: times[0], lambda: seconds[0])
    outbox: list[ReportReady] = []

    async def emit(event: ReportReady) -> None:
        outbox.append(event)

    collector = Collector(gathering(), Surroundings(emit), LOG)
    await taken(collector, batch(2), result(0), now=clock())
    await taken(collector, *collector.due_ticks(clock()), now=clock())
    times[0], seconds[0] = NOW + jump, 3599.0
    await taken(collector, *collector.due_ticks(clock()), now=clock())
    assert outbox == []
    for seconds[0] in (3600.0, 3601.0, 3602.0):
        times[0] += jump
        await taken(collector, *collector.due_ticks(clock()), now=clock())
    assert [event.reason for event in outbox] == ["deadline"]


async def test_a_batch_that_asks_for_a_deadline_far_away_ends_all_the_same() -> None:
    gathered = gathering()
    collector = Collector(gathered, Surroundings(_nowhere), LOG, Limits(batch=timedelta(hours=2)))
    await taken(collector, batch(2).model_copy(update={"deadline_at": NOW + timedelta(days=36500)}))
    assert due(collector, NOW + timedelta(hours=1)) == []
    await taken(collector, *collector.due_ticks(LATE), now=LATE)
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    assert report_of(head, {}, "deadline").finished_at == LATE


async def test_a_batch_whose_last_result_was_read_by_a_process_that_died_is_closed_by_the_next() -> None:
    tables = Tables(rows={}, head={}, sent={})
    died = Gathering(tables)
    died.open(batch(1))
    died.add(result(0))
    gathered = Gathering(tables)
    collector = Collector(gathered, Surroundings(_nowhere), LOG)
    assert due(collector, NOW) == ["deadline"]
    await taken(collector, *collector.due_ticks(NOW))
    head = gathered.head(INFERENCE_ID)
    assert head is not None
    assert head.reason == "complete"


async def test_mails_are_due_again_as_the_mail_server_has_room() -> None:
    room: int | None = None
    gathered = gathering()
    collector = Collector(
        gathered, Surroundings(_nowhere, mail_room=lambda: room), LOG, Limits(mail=timedelta(hours=1))
    )
    names = [INFERENCE_ID[:-1] + str(number) for number in range(3)]
    for name in names:
        await taken(collector, batch(1, inference_id=name), result(0, inference_id=name))
        collector.delivered(name)
    assert due(collector, NOW) == ["resend"] * 3
    room = 1
    assert due(collector, NOW) == ["resend"]
    room = 0
    assert due(collector, NOW) == []
    assert due(collector, LATE) == ["resend"] * 3  # to be given up


async def test_rows_that_no_report_wants_are_purged() -> None:
    rows: dict[bytes, bytes] = {}
    gathered = Gathering(Tables(rows=rows, head={}, sent={}))
    collector = Collector(gathered, Surroundings(_nowhere), LOG)
    unknown = INFERENCE_ID[:-1] + "1"
    await taken(collector, result(0, OTHER_FINGERPRINT), batch(2), result(0), result(0, inference_id=unknown))
    ticks = list(collector.orphans(list(rows), NOW))
    assert [tick.inference_id for tick in ticks] == [INFERENCE_ID]  # the losing body
    await taken(collector, *ticks)
    assert len(rows) == 2
    later = NOW + timedelta(days=10)
    ticks = list(collector.orphans(list(rows), later))
    assert [tick.inference_id for tick in ticks] == [unknown]
    await taken(collector, *ticks, now=later)
    assert len(rows) == 1


async def test_a_purge_that_another_process_asked_for_takes_nothing_that_is_wanted() -> None:
    gathered = gathering()
    collector = Collector(gathered, Surroundings(_nowhere), LOG)
    await taken(collector, batch(2), result(0), ControlTick(inference_id=INFERENCE_ID, action="purge"))
    gathered.mark_sent(INFERENCE_ID, NOW)
    await taken(collector, ControlTick(inference_id=INFERENCE_ID, action="purge"))
    assert gathered.is_sent(INFERENCE_ID)
    assert len(gathered.row_keys()) == 1


def test_what_is_known_already_is_written_once_more_for_the_copy_may_have_been_the_only_one() -> None:
    writes: list[bytes] = []

    class Recorded(dict[bytes, bytes]):
        def __setitem__(self, key: bytes, value: bytes) -> None:
            writes.append(value)
            super().__setitem__(key, value)

    gathered = Gathering(Tables(rows=Recorded(), head=Recorded(), sent=Recorded()))
    for _ in range(2):
        gathered.open(batch(2))
        gathered.add(result(0))
    assert writes[:2] == writes[2:]


async def canceled_report(*events: object) -> Report:
    """Let a collector take events, and build the report of the batch that they end."""
    gathered = gathering()
    collector = Collector(gathered, Surroundings(_nowhere), LOG)
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


Disk = Literal["own", "other", "none"]
"""Whose disk the next process has: that of the dead one, that of the one before, or none."""


class CrashError(Exception):
    """The process dies."""


class Copy(dict[bytes, bytes]):
    """A process's own copy of a table, what of it is durable, and what another process has left on its disk."""

    def __init__(self) -> None:
        super().__init__()
        self.durable: dict[bytes, bytes] = {}
        self.removed: set[bytes] = set()
        self.elsewhere: dict[bytes, bytes] = {}
        self.written: dict[bytes, bytes | None] = {}

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.written[key] = value
        super().__setitem__(key, value)

    def __delitem__(self, key: bytes) -> None:
        self.written[key] = None
        super().__delitem__(key)

    def pop(self, key: bytes, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        found = self.get(key, default)
        if key in self:
            del self[key]
        return found

    def settle(self) -> None:
        for key, value in self.written.items():
            if value is None:
                self.durable.pop(key, None)
                self.removed.add(key)
            else:
                self.durable[key] = value
                self.removed.discard(key)
        self.written.clear()

    def die(self, disk: Disk) -> None:
        self.written.clear()
        if disk == "own":
            return
        left, self.elsewhere = self.elsewhere if disk == "other" else {}, dict(self)
        self.clear()
        self.update({key: value for key, value in left.items() if key not in self.removed} | self.durable)


def test_what_was_only_found_on_a_disk_is_written_again_before_it_is_reported() -> None:
    """The process that wrote it may have died before it was durable, and the next one may have another disk."""
    copies = rows, heads, sent = Copy(), Copy(), Copy()

    def next_process() -> Gathering:
        for copy in copies:
            copy.die("own")
        return Gathering(Tables(rows=rows, head=heads, sent=sent))

    dead = next_process()
    dead.open(batch(2))
    for index in range(2):
        dead.add(result(index))
    closing = next_process()
    closing.close(known(closing), "complete", NOW)
    assert (len(rows.written), len(heads.written)) == (2, 1)
    mailing = next_process()
    mailing.write_again(known(mailing))
    assert (len(rows.written), len(heads.written)) == (2, 1)
    rows.written.clear()
    heads.written.clear()
    mailing.write_again(known(mailing))
    assert not rows.written
    assert not heads.written


def test_a_row_that_was_not_there_when_the_batch_was_closed_is_not_reported() -> None:
    """It lay on the disk of a process that died, while another one, without it, closed the batch."""
    rows, heads = Copy(), Copy()
    gathering = Gathering(Tables(rows=rows, head=heads, sent=Copy()))
    gathering.open(batch(2))
    for index in range(2):
        gathering.add(result(index))
    [lost, _] = list(rows)
    found = rows.pop(lost)
    assert found is not None
    gathering.forget()
    gathering.close(known(gathering), "deadline", NOW)
    gathering.forget()
    rows[lost] = found
    assert list(gathering.rows(known(gathering))) == [1]
    assert gathering.counts(known(gathering))["missing"] == 1
    gathering.drop(known(gathering))
    assert not rows


def known(gathering: Gathering) -> Head:
    head = gathering.head(INFERENCE_ID)
    assert head is not None
    return head


KINDS = (BatchSubmitted, CancellationRequested, ControlTick, ImageClassified)
orders = st.permutations(KINDS)
disks = st.sampled_from(get_args(Disk))
fingerprints = st.sampled_from([FINGERPRINT, FINGERPRINT, OTHER_FINGERPRINT])


class Watched(Gathering):
    """Says when a batch is closed."""

    def __init__(self, tables: Tables, closing: Callable[[Head], None]) -> None:
        super().__init__(tables)
        self._closing = closing

    def close(self, head: Head, reason: EndReason, now: datetime) -> Head:
        self._closing(head)
        return super().close(head, reason, now)


class ABatchIsReportedOnce(RuleBasedStateMachine):
    """Events in any order, doubled, late, contradicting, or never there, while the process dies between any two writes.

    A write is durable, and its record acknowledged, when `the_broker_acknowledges`; the outbox is durable at once.
    After a death what was not acknowledged is read again: each topic in its order, but the topics in any; by a process
    that has the disk of the dead one, with what was not durable on it, or by another. It may die again on the way.
    """

    SIZE = 2

    @initialize()
    def begin(self) -> None:
        self.copies = [Copy(), Copy(), Copy()]
        self.log: list[object] = []
        self.acknowledged: list[object] = []
        self.unacknowledged: list[object] = []
        self.unread: list[object] = []
        self.rows_at_close: Mapping[int, Row] = {}
        self.outbox: list[ReportReady] = []
        self.mails: list[tuple[bytes, bool]] = []
        self.now = NOW
        self.disk: Disk = "none"
        self.start()

    def start(self) -> None:
        rows, head, sent = self.copies
        self.gathering = Watched(Tables(rows=rows, head=head, sent=sent), self.nothing_that_was_read_is_missing)
        around = Surroundings(self.emit, lambda *_: not self.unread, settle=self.settle)
        self.collector = Collector(self.gathering, around, LOG)
        self.dies_at_close = self.dies_at_emit = False

    def nothing_that_was_read_is_missing(self, head: Head) -> None:
        read = {
            event.index
            for event in [*self.acknowledged, *self.unacknowledged]
            if isinstance(event, ImageClassified) and event.fingerprint == head.batch.fingerprint
        }
        self.rows_at_close = self.gathering.rows(head)
        assert read & {*range(head.batch.size)} <= {*self.rows_at_close}

    async def settle(self) -> None:
        if self.dies_at_close:
            raise CrashError
        for copy in self.copies:
            copy.settle()

    async def emit(self, event: ReportReady) -> None:
        if self.dies_at_emit:
            raise CrashError
        self.outbox.append(event)

    def take(self, event: object) -> None:
        self.unacknowledged.append(event)
        try:
            taken(self.collector, event, now=self.now).send(None)
        except StopIteration:
            pass
        except CrashError:
            self.die(KINDS, self.disk)

    def send(self, event: object) -> None:
        self.log.append(event)
        self.unread.append(event)
        if len(self.unread) == 1:
            self.read()

    def die(self, order: Sequence[type[object]], disk: Disk) -> None:
        """Lose what is not durable; what was not acknowledged is to be read again."""
        for copy in self.copies:
            copy.die(disk)
        self.start()
        again, self.unacknowledged = [*self.unacknowledged, *self.unread], []
        self.unread = [event for kind in order for event in again if isinstance(event, kind)]

    def read(self) -> None:
        self.take(self.unread.pop(0))

    @rule(count=st.integers(1, 10))
    def some_are_read_again(self, count: int) -> None:
        for _ in range(min(count, len(self.unread))):
            self.read()

    @rule(index=st.integers(0, SIZE), fingerprint=fingerprints, minutes=st.integers(0, 1))
    def a_result_arrives(self, index: int, fingerprint: str, minutes: int) -> None:
        self.send(result(index, fingerprint, classified_at=NOW + timedelta(minutes=minutes)))

    @rule(index=st.integers(0, SIZE - 1))
    def a_good_result_arrives(self, index: int) -> None:
        self.send(result(index))

    @rule()
    def the_batch_record_arrives(self) -> None:
        self.send(batch(self.SIZE))

    @rule(size=st.integers(1, SIZE + 1), fingerprint=fingerprints)
    def a_contradicting_batch_record_arrives(self, size: int, fingerprint: str) -> None:
        self.send(batch(size, fingerprint))

    @rule()
    def the_batch_is_canceled(self) -> None:
        self.send(cancellation(self.SIZE))

    @rule(index=st.integers(0, 100))
    def something_is_read_again(self, index: int) -> None:
        if self.log:
            self.take(self.log[index % len(self.log)])

    @rule(which=st.integers(0, 2))
    def the_broker_takes_the_writes_to_one_table(self, which: int) -> None:
        self.copies[which].settle()

    @rule()
    def the_broker_acknowledges(self) -> None:
        for copy in self.copies:
            copy.settle()
        self.acknowledged += self.unacknowledged
        self.unacknowledged.clear()

    @rule(order=orders, disk=disks)
    def the_process_dies(self, order: Sequence[type[object]], disk: Disk) -> None:
        self.die(order, disk)

    @rule()
    def partitions_come_and_go(self) -> None:
        self.collector.forget()

    @rule(disk=disks)
    def the_process_will_die_while_it_closes_a_batch(self, disk: Disk) -> None:
        self.dies_at_close, self.disk = True, disk

    @rule(disk=disks)
    def the_process_will_die_before_the_outbox_is_durable(self, disk: Disk) -> None:
        self.dies_at_emit, self.disk = True, disk

    @rule(late=st.booleans())
    def the_timer_runs(self, late: bool) -> None:  # noqa: FBT001
        self.now = max(self.now, LATE) if late else self.now
        for tick in list(self.collector.due_ticks(self.now)):
            self.take(ControlTick.decode(tick.encode()))

    @rule()
    def rows_are_purged(self) -> None:
        for tick in list(self.collector.orphans(self.gathering.row_keys(), self.now)):
            self.take(tick)

    @rule(dies=st.booleans(), order=orders, disk=disks)
    def the_outbox_is_delivered(
        self,
        dies: bool,  # noqa: FBT001
        order: Sequence[type[object]],
        disk: Disk,
    ) -> None:
        """Perhaps the process dies between a mail and its mark."""
        for ready in list(self.outbox):
            head = self.gathering.head(ready.inference_id)
            if head is not None and head.reason is not None and not self.gathering.is_sent(ready.inference_id):
                rows = self.gathering.rows(head)
                assert rows == self.rows_at_close
                report = report_of(head, rows, head.reason)
                self.mails.append((report.model_dump_json().encode(), dies))
                if dies:
                    self.die(order, disk)
                    return
                self.gathering.mark_sent(ready.inference_id, self.now)
                self.the_broker_acknowledges()
            if head is not None and head.reason is not None:
                self.gathering.drop(head)
            self.collector.delivered(ready.inference_id)
            self.outbox.remove(ready)

    @invariant()
    def there_is_never_a_second_mail_but_after_a_death_between_mail_and_mark(self) -> None:
        assert sum(not died for _, died in getattr(self, "mails", ())) <= 1

    @invariant()
    def all_mails_are_the_same(self) -> None:
        assert len({mail for mail, _ in getattr(self, "mails", ())}) <= 1

    def teardown(self) -> None:
        """In the end every image is in the one report: the log is replayed, the deadline passes."""
        if not hasattr(self, "copies"):
            return
        self.die(KINDS, "none")
        while self.unread:
            self.read()
        self.take(batch(self.SIZE))
        for _ in range(3):
            self.the_timer_runs(late=True)
            self.the_outbox_is_delivered(dies=False, order=KINDS, disk="none")
        self.all_mails_are_the_same()
        assert [died for _, died in self.mails].count(False) == 1
        report = Report.model_validate_json(self.mails[0][0])
        assert [item.index for item in report.items] == list(range(len(report.items)))
        assert not self.gathering.head(INFERENCE_ID)


TestABatchIsReportedOnce = ABatchIsReportedOnce.TestCase
TestABatchIsReportedOnce.settings = settings(
    max_examples=int(os.environ.get("HUESTREAM_TEST_EXAMPLES", "150")), stateful_step_count=30, deadline=None
)
