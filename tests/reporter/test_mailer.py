"""Handing over to a real SMTP server that answers as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.reporter.mailer import Availability, Handover, Mailer, look_at_the_server
from services.reporter.settings import ReporterSettings
from services.runtime.logs import configure_logs
from tests.reporter.certificates import make_certificate
from tests.reporter.smtp_sink import Sink, answering, serving
from tests.waiting import eventually

MAIL = b"Subject: a\r\n\r\nbody\r\n.dot\r\n"


def settings(port: int, **changes: object) -> ReporterSettings:
    given: dict[str, object] = {
        "environment": "development",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_tls": "none",
        "smtp_timeout_seconds": 5,
        "smtp_acceptance_seconds": 5,
    }
    return ReporterSettings.model_validate(given | changes)


@asynccontextmanager
async def mailer_to(sink: Sink, **changes: object) -> AsyncIterator[Mailer]:
    async with serving(sink) as port, asyncio.timeout(20):
        mailer = Mailer(settings(port, **changes))
        try:
            yield mailer
        finally:
            await mailer.aclose()


async def hand_over(mailer: Mailer) -> Handover:
    return await mailer.hand_over(MAIL, "to@x.example", "the-batch")


@pytest.mark.parametrize(
    ("answers", "found", "kept"),
    [
        ({}, Handover("sent", 250), 1),
        ({"mail": "421 try later"}, Handover("away", 421), 0),
        ({"mail": "450 slowly"}, Handover("retry", 450), 0),
        ({"mail": "553 not your address"}, Handover("away", 553), 0),
        ({"mail": "552 too large"}, Handover("refused", 552), 0),
        ({"rcpt": "450 busy"}, Handover("retry", 450), 0),
        ({"rcpt": "550 no such address"}, Handover("refused", 550), 0),
        ({"rcpt": "530 log in first"}, Handover("away", 530), 0),
        ({"data": "451 try later"}, Handover("retry", 451), 0),
        ({"data": "552 too large"}, Handover("refused", 552), 0),
        ({"mail": None}, Handover("away"), 0),
        ({"data": None}, Handover("ambiguous"), 0),
    ],
)
async def test_each_answer_of_the_server_has_its_outcome(
    answers: dict[str, str | None], found: Handover, kept: int
) -> None:
    sink = Sink(answering(answers))
    async with mailer_to(sink) as mailer:
        assert await hand_over(mailer) == found
    assert len(sink.mails) == kept


async def test_a_server_that_is_away_is_tried_again_by_one_mail_at_a_time() -> None:
    async with serving(Sink()) as port:
        pass
    mailer = Mailer(settings(port))
    assert mailer.availability.room is None
    assert await hand_over(mailer) == Handover("away")
    assert mailer.availability.room == 0
    assert await hand_over(mailer) == Handover("away")  # at once, and nobody was called


def test_pauses_between_trials_grow_and_end_with_the_first_success() -> None:
    now = 100.0
    availability = Availability(lambda: now)
    pauses = []
    for _ in range(7):
        assert availability.begin()
        assert not availability.begin() or availability.room is None
        availability.end(Handover("away"))
        began = now
        while availability.room == 0:
            now += 0.5
        pauses.append(now - began)
    assert pauses == [1, 2, 4, 8, 15, 15, 15]
    assert availability.begin()
    availability.end(Handover("retry", 450))  # it answers
    assert availability.room is None


def test_a_login_that_is_refused_is_not_tried_every_few_seconds() -> None:
    now = 100.0
    availability = Availability(lambda: now)
    for _ in range(12):
        now += 1000
        availability.begin()
        availability.end(Handover("away", 535))
    now += 299
    assert availability.room == 0


async def test_the_bytes_arrive_as_they_were_made() -> None:
    sink = Sink()
    async with mailer_to(sink) as mailer:
        await hand_over(mailer)
    assert [content for _, content in sink.mails] == [MAIL]


async def test_a_connection_is_used_again_and_replaced_when_it_was_closed() -> None:
    sink = Sink(lambda step, count: None if (step, count) == ("mail", 4) else "250 OK")
    async with mailer_to(sink) as mailer:
        outcomes = [(await hand_over(mailer)).outcome for _ in range(3)]
        assert sink.steps["ehlo"] == 1
        outcomes.append((await hand_over(mailer)).outcome)
        await eventually(lambda: mailer.availability.room != 0, "next trial")
        outcomes.append((await hand_over(mailer)).outcome)
    assert outcomes == ["sent", "sent", "sent", "away", "sent"]
    assert sink.steps["ehlo"] == 2


async def test_a_refused_mail_does_not_disturb_the_next_one_on_the_same_connection() -> None:
    sink = Sink(lambda step, count: "550 no" if (step, count) == ("rcpt", 1) else "250 OK")
    async with mailer_to(sink) as mailer:
        assert [(await hand_over(mailer)).outcome for _ in range(2)] == ["refused", "sent"]
    assert sink.steps["ehlo"] == 1


async def test_a_server_that_offers_delivery_notices_is_asked_for_failures() -> None:
    sink = Sink(offers_dsn=True)
    async with mailer_to(sink) as mailer:
        await hand_over(mailer)
    [(mail_options, rcpt_options)] = sink.envelopes
    assert {"RET=HDRS", "ENVID=THE-BATCH", f"SIZE={len(MAIL)}"} <= {option.upper() for option in mail_options}
    assert rcpt_options == ["NOTIFY=FAILURE"]


def _password(text: str) -> dict[str, str]:
    return {"smtp_password": text}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_encrypted_with_a_certificate_that_is_trusted_and_with_a_login(tls: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    sink = Sink()
    async with serving(sink, tls=context, implicit=tls == "implicit", login=True) as port, asyncio.timeout(20):
        trusting = {"smtp_tls": tls, "smtp_ca_file": certificate, "smtp_username": "us", "smtp_host": "localhost"}
        mailer = Mailer(settings(port, **trusting, **_password("right")))
        assert await hand_over(mailer) == Handover("sent", 250)
        await mailer.aclose()
        assert sink.logins == ["us"]
        wrong = Mailer(settings(port, **trusting, **_password("wrong")))
        assert (await hand_over(wrong)).outcome == "away"
        mistrusting = Mailer(settings(port, smtp_tls=tls, smtp_host="localhost"))
        assert (await hand_over(mistrusting)).outcome == "away"
    assert len(sink.mails) == 1


async def test_a_server_that_hangs_is_left_in_time() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()  # says nothing until the client leaves
        finally:
            writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with asyncio.timeout(30):
        mailer = Mailer(settings(server.sockets[0].getsockname()[1], smtp_timeout_seconds=0.5))
        assert (await hand_over(mailer)).outcome == "away"
    server.close()


async def test_a_mail_server_that_cannot_be_used_is_told_at_the_start() -> None:
    async with serving(Sink()) as port:
        pass
    log = configure_logs("test", "warning")
    with capture_logs() as logs:
        await look_at_the_server(Mailer(settings(port)), log)
    assert [entry["event"] for entry in logs] == ["mail_server_not_usable"]
