"""Handing over to a real SMTP server that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from services.reporter.mailer import hand_over
from services.reporter.settings import ReporterSettings

MAIL = b"Subject: a\r\n\r\nbody\r\n"


class Scripted:
    """Answers each step with what the test wants; no answer means that the link dies."""

    def __init__(self, **answers: str | None) -> None:
        self.answers = answers
        self.kept: list[bytes] = []

    def _say(self, server: Any, step: str, otherwise: str) -> str:
        answer = self.answers.get(step, otherwise)
        if answer is None:
            server.transport.abort()
            return "421 gone"
        return answer

    async def handle_MAIL(self, server: Any, _: Any, envelope: Any, address: str, __: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return self._say(server, "mail", "250 OK")

    async def handle_RCPT(self, server: Any, _: Any, envelope: Any, address: str, __: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self._say(server, "rcpt", "250 OK")

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append(envelope.content)
        return self._say(server, "data", "250 OK")


@asynccontextmanager
async def smtp_server(handler: Scripted) -> AsyncIterator[ReporterSettings]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield ReporterSettings(
            environment="development", smtp_host="127.0.0.1", smtp_port=port, smtp_tls="none", smtp_timeout_seconds=5
        )
    finally:
        server.close()


@pytest.mark.parametrize(
    ("answers", "outcome", "kept"),
    [
        ({}, "sent", 1),
        ({"mail": "421 try later"}, "retry", 0),
        ({"rcpt": "450 busy"}, "retry", 0),
        ({"rcpt": "550 no such address"}, "refused", 0),
        ({"data": "451 try later"}, "retry", 1),
        ({"data": "552 too large"}, "refused", 1),
        ({"mail": None}, "retry", 0),
        ({"data": None}, "ambiguous", 1),
    ],
)
async def test_each_answer_of_the_server_has_its_outcome(
    answers: dict[str, str | None], outcome: str, kept: int
) -> None:
    handler = Scripted(**answers)
    async with smtp_server(handler) as settings, asyncio.timeout(10):
        assert await hand_over(settings, MAIL, "to@x.example") == outcome
    assert len(handler.kept) == kept


async def test_a_server_that_is_away_is_tried_again_later() -> None:
    async with smtp_server(Scripted()) as settings:
        pass
    assert await hand_over(settings, MAIL, "to@x.example") == "retry"


async def test_the_bytes_arrive_as_they_were_made() -> None:
    handler = Scripted()
    async with smtp_server(handler) as settings:
        await hand_over(settings, MAIL, "to@x.example")
    assert handler.kept == [MAIL]
