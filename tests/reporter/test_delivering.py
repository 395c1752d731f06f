"""From a closed batch to its mail: stored first, mailed once, marked, told; whatever fails, and wherever it dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from schemas.events import ApiKey, InferenceStatus
from services.reporter.delivering import Delivery, Doors
from services.reporter.failpoints import Reach, Step, survive
from services.reporter.gathering import Gathering, Tables
from services.reporter.mailer import Handover, Mailer
from services.runtime.logs import configure_logs
from services.runtime.object_store import ObjectFolder, StoreUnavailableError, object_folder
from tests.reporter.examples import INFERENCE_ID, NOW, batch, result
from tests.reporter.smtp_sink import Say, Sink, answering, serving
from tests.reporter.test_mailer import settings
from tests.waiting import eventually

LOG = configure_logs("test", "critical")
OWNER = ApiKey(key_id="key1", owner="Shop", email="to@x.example", secret_sha256="0" * 64, created_at=NOW)
MINUTE = timedelta(minutes=1)


class DiedError(BaseException):
    """The process ends; nothing may catch it."""


class FullStore(ObjectFolder):
    """A store that takes nothing."""

    async def put(self, path: str, content: bytes) -> None:
        raise StoreUnavailableError(f"{path}, {len(content)} bytes: the store is full")


@dataclass
class Desk:
    """One batch that is complete, and what is around its delivery."""

    port: int
    store: ObjectFolder
    now: datetime = NOW
    key: ApiKey | None = OWNER
    reach: Reach = survive
    tables: Tables = field(default_factory=lambda: Tables(rows={}, head={}, sent={}))
    statuses: list[InferenceStatus] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    give_up: timedelta = timedelta(days=1)

    def __post_init__(self) -> None:
        gathering = Gathering(self.tables)
        gathering.open(batch(2))
        gathering.add(result(0))
        gathering.add(result(1))
        head = gathering.head(INFERENCE_ID)
        assert head is not None
        gathering.close(head, "complete", NOW)
        self.start()

    def start(self) -> None:
        """Begin anew, with what is durable."""
        given = settings(self.port, mail_give_up_seconds=self.give_up.total_seconds())
        self.gathering = Gathering(self.tables)
        self.mailer = Mailer(given, self.reach)
        doors = Doors(
            store=self.store,
            mailer=self.mailer,
            find_key=lambda _: self.key,
            tell=self.tell,
            settle=self.settle,
            clock=lambda: self.now,
            reach=self.reach,
        )
        self.delivery = Delivery(given, self.gathering, doors, LOG)

    async def tell(self, status: InferenceStatus) -> None:
        self.statuses.append(status)

    async def settle(self) -> None:
        await asyncio.sleep(0)

    async def bury(self, reason: str) -> None:
        self.letters.append(reason)

    async def deliver(self) -> str:
        """Deliver, and give the last status of the mail."""
        await self.delivery.deliver(INFERENCE_ID, self.bury)
        return self.statuses[-1].email_status if self.statuses else "untold"

    @property
    def is_finished(self) -> bool:
        return self.gathering.is_sent(INFERENCE_ID) and not self.tables.rows and not self.tables.head


@asynccontextmanager
async def desk(folder: Path, say: Say | None = None, **changes: object) -> AsyncIterator[tuple[Desk, Sink]]:
    sink = Sink(say or answering({}))
    async with serving(sink) as port, asyncio.timeout(20):
        made = Desk(port, object_folder(str(folder / "reports")), **changes)  # type: ignore[arg-type]
        try:
            yield made, sink
        finally:
            await made.mailer.aclose()


def stored(folder: Path) -> set[str]:
    return {path.name for path in (folder / "reports" / INFERENCE_ID).iterdir()}


async def test_a_report_is_stored_and_mailed_and_leaves_its_mark_alone(tmp_path: Path) -> None:
    async with desk(tmp_path) as (made, sink):
        assert await made.deliver() == "sent"
        assert await made.deliver() == "sent"  # the outbox may be read again
        assert made.is_finished
        [(_, content)] = sink.mails
    assert stored(tmp_path) == {"report.json", "results.csv", "results.ndjson", "mail.eml"}
    assert (tmp_path / "reports" / INFERENCE_ID / "mail.eml").read_bytes() == content
    last = made.statuses[-1]
    assert (last.state, last.succeeded, last.expires_at) == ("completed", 2, NOW + timedelta(days=30))
    assert len(made.statuses) == 1


@pytest.mark.parametrize(
    ("step", "say", "mails", "email_status"),
    [
        ("M2", answering({}), 1, "sent"),
        ("M3", answering({}), 1, "sent"),
        ("M4", answering({"rcpt": "550 no such address"}), 0, "failed"),
        ("M5", answering({}), 1, "sent"),
        ("M6", answering({}), 2, "sent"),
        ("M7", answering({}), 2, "sent"),
        ("M8", answering({}), 1, "sent"),
    ],
)
async def test_a_process_that_dies_at_a_step_leaves_as_many_mails_as_the_table_says(
    step: Step, say: Say, mails: int, email_status: str, tmp_path: Path
) -> None:
    def die(reached: Step) -> None:
        if reached == step:
            raise DiedError

    async with desk(tmp_path, say, reach=die) as (made, sink):
        with pytest.raises(DiedError):
            await made.deliver()
        await eventually(lambda: step != "M6" or sink.mails, "mail that was on its way")
        made.reach = survive
        made.start()
        assert await made.deliver() == email_status
        assert made.is_finished
        assert len({content for _, content in sink.mails}) == min(mails, 1)
        assert len(sink.mails) == mails
        assert len(made.letters) == (email_status == "failed")


@pytest.mark.parametrize("answer", ["450 busy", None])
async def test_a_mail_that_may_go_later_waits_longer_each_time_and_then_goes(
    answer: str | None, tmp_path: Path
) -> None:
    step = "rcpt" if answer else "data"
    async with desk(tmp_path, lambda at, count: answer if at == step and count < 4 else "250 OK") as (made, sink):
        pauses = []
        for _ in range(3):
            made.mailer.availability.end(Handover("sent"))
            assert await made.deliver() == "retrying"
            head = made.gathering.head(INFERENCE_ID)
            assert head is not None
            assert head.next_attempt_at is not None
            pauses.append((head.next_attempt_at - made.now).total_seconds())
            made.now = head.next_attempt_at
        made.mailer.availability.end(Handover("sent"))
        assert await made.deliver() == "sent"
    assert pauses == [30, 60, 120]
    assert len(sink.mails) == 1


async def test_an_outbox_record_that_comes_too_early_is_left_to_a_later_one(tmp_path: Path) -> None:
    async with desk(tmp_path, lambda at, count: "450 busy" if (at, count) == ("rcpt", 1) else "250 OK") as (made, sink):
        await made.deliver()
        assert await made.deliver() == "retrying"
        assert not sink.mails
        made.now += MINUTE
        assert await made.deliver() == "sent"


async def test_a_mail_that_cannot_go_is_given_up_in_the_end(tmp_path: Path) -> None:
    async with desk(tmp_path, answering({"rcpt": "450 busy"}), give_up=timedelta(hours=1)) as (made, _):
        assert await made.deliver() == "retrying"
        made.now += timedelta(hours=1)
        assert await made.deliver() == "failed"
        assert made.is_finished
        assert made.letters == ["the mail did not go in time; last: retry"]
    assert "report.json" in stored(tmp_path)


async def test_while_the_mail_server_is_away_nothing_is_written_twice(tmp_path: Path) -> None:
    async with desk(tmp_path, answering({"ehlo": "421 no", "mail": "421 no"})) as (made, sink):
        for _ in range(3):
            assert await made.deliver() == "retrying"
        assert len(made.statuses) == 1
        assert sink.steps["mail"] <= 1
        made.now += timedelta(days=2)
        assert await made.deliver() == "failed"
        assert made.letters == ["the mail did not go in time; last: away"]


async def test_an_address_that_the_server_refuses_is_a_dead_letter_and_a_status(tmp_path: Path) -> None:
    async with desk(tmp_path, answering({"rcpt": "550 <to@x.example> unknown"})) as (made, _):
        assert await made.deliver() == "failed"
        assert made.letters == ["the mail server refused the mail with 550"]  # and nothing of the server's own text
        assert made.is_finished


@pytest.mark.parametrize("key", [OWNER.model_copy(update={"email": None}), None], ids=["no-address", "no-owner"])
async def test_an_owner_without_an_address_has_a_report_and_no_mail(key: ApiKey | None, tmp_path: Path) -> None:
    async with desk(tmp_path, key=key, now=NOW + MINUTE) as (made, sink):
        assert await made.deliver() == "none"
        assert made.is_finished
        assert not sink.steps
    assert stored(tmp_path) == {"report.json", "results.csv", "results.ndjson"}


async def test_a_key_may_be_read_later_than_the_batch_that_it_submitted(tmp_path: Path) -> None:
    async with desk(tmp_path, key=None) as (made, sink):
        assert await made.deliver() == "retrying"
        made.key, made.now = OWNER, NOW + timedelta(seconds=3)
        assert await made.deliver() == "sent"
        assert len(sink.mails) == 1


async def test_a_mail_goes_only_when_its_report_is_stored_or_cannot_be_for_long(tmp_path: Path) -> None:
    async with desk(tmp_path) as (made, sink):
        made.store = FullStore(None)  # type: ignore[arg-type]
        made.start()
        assert await made.deliver() == "retrying"
        assert not sink.mails
        made.now += timedelta(days=2)
        assert await made.deliver() == "sent"
        assert len(sink.mails) == 1


async def test_a_mail_that_cannot_be_written_is_a_dead_letter_and_stops_no_other(tmp_path: Path) -> None:
    odd = OWNER.model_copy(update={"email": "two\r\nlines@x.example"})
    async with desk(tmp_path, key=odd) as (made, sink):
        assert await made.deliver() == "failed"
        assert made.letters == ["the mail could not be written"]
        assert not sink.mails


async def test_two_records_of_one_batch_beside_each_other_are_one_mail(tmp_path: Path) -> None:
    async with desk(tmp_path) as (made, sink):
        await asyncio.gather(made.deliver(), made.deliver())
        assert len(sink.mails) == 1
