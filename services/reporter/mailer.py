"""Handing mails to the mail server: the one door to SMTP."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import aiosmtplib

from services.reporter.failpoints import Reach, survive
from services.reporter.settings import ReporterSettings
from services.runtime.logs import Logger

Outcome = Literal["sent", "retry", "refused", "ambiguous", "away"]
"""It went; it may go later; it never will; it may have gone although nobody said so; the server takes none just now."""

_TROUBLE: Final = (aiosmtplib.SMTPException, OSError, TimeoutError)
_CONFIGURATION: Final = frozenset({421, 502, 503, 504, 530, 534, 535, 538})
"""The server's end, or refusals of our login or dialog: the operator mends them, and then all mails can go."""
_TOO_LARGE: Final = 552
_GO_ON: Final = 354
_MAILS_A_CONNECTION: Final = 100
_IDLE_SECONDS: Final = 20.0
_GOODBYE_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Handover:
    """How an attempt ended, and the code with which the server said so, where it did."""

    outcome: Outcome
    code: int | None = None


class Availability:
    """Whether the server takes mails; while it does not, one trial at a time looks whether it does again."""

    SHORTEST: Final = 1.0
    LONGEST: Final = 15.0
    """Seconds: what waits goes out this soon after the server is back."""
    LONGEST_REFUSED: Final = 300.0
    """Seconds between trials to log in that the server refuses: more would look like an attack."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._pause = 0.0
        self._next_trial = 0.0
        self._is_tried = False

    @property
    def room(self) -> int | None:
        """How many mails are worth a trial; None without a limit."""
        if not self._pause:
            return None
        return 0 if self._is_tried or self._monotonic() < self._next_trial else 1

    def begin(self) -> bool:
        """Ask to try; while the server is away, only one may."""
        room = self.room
        self._is_tried = self._is_tried or room == 1
        return room != 0

    def end(self, found: Handover) -> None:
        """Note how a trial ended."""
        self._is_tried = False
        if found.outcome not in {"away", "ambiguous"}:
            self._pause = 0.0
            return
        is_refused = found.code is not None and found.code >= 500
        longest = self.LONGEST_REFUSED if is_refused else self.LONGEST
        self._pause = min(max(2 * self._pause, self.SHORTEST), longest)
        self._next_trial = self._monotonic() + self._pause


class Mailer:
    """Hands over mails, on connections that are used again."""

    def __init__(self, settings: ReporterSettings, reach: Reach = survive) -> None:
        self.availability = Availability()
        self._settings = settings
        self._reach = reach
        self._idle: list[tuple[aiosmtplib.SMTP, int, asyncio.TimerHandle]] = []

    async def hand_over(self, content: bytes, recipient: str, envelope_id: str) -> Handover:
        """Send one mail, if the server is not known to be away."""
        if not self.availability.begin():
            return Handover("away")
        found = Handover("away")
        try:
            found = await self._hand_over(content, recipient, envelope_id)
        finally:
            self.availability.end(found)
        return found

    async def check(self) -> None:
        """Connect, log in and offer the sender; raises what goes wrong."""
        client = await self._connected()
        try:
            await client.mail(self._settings.mail_from)
            await client.rset()
        finally:
            await _goodbye(client)

    async def aclose(self) -> None:
        """Say goodbye on all connections."""
        idle, self._idle = self._idle, []
        for client, _, closing in idle:
            closing.cancel()
            await _goodbye(client)

    async def _hand_over(self, content: bytes, recipient: str, envelope_id: str) -> Handover:
        try:
            client, used = await self._connection()
        except _TROUBLE as error:
            return Handover("away", _code(error))
        found = await self._dialog(client, content, recipient, envelope_id)
        if found.outcome in {"sent", "refused", "retry"} and used < _MAILS_A_CONNECTION and client.is_connected:
            self._keep(client, used + 1)
        else:
            await _goodbye(client)
        return found

    async def _dialog(self, client: aiosmtplib.SMTP, content: bytes, recipient: str, envelope_id: str) -> Handover:
        try:
            await client.mail(self._settings.mail_from, options=_mail_options(client, content, envelope_id))
        except _TROUBLE as error:  # the sender is ours: whatever is wrong with it is wrong with all mails
            return _judged(error, refused=(_TOO_LARGE,))
        self._reach("M3")
        try:
            await client.rcpt(recipient, options=("NOTIFY=FAILURE",) if client.supports_extension("dsn") else ())
            start = await client.execute_command(b"DATA")
            if start.code != _GO_ON:
                raise aiosmtplib.SMTPDataError(start.code, start.message)
        except _TROUBLE as error:
            return _judged(error, refused=range(500, 600))
        self._reach("M5")
        return await self._data(client, content)

    async def _data(self, client: aiosmtplib.SMTP, content: bytes) -> Handover:
        protocol = client.protocol
        if protocol is None:
            return Handover("away")
        try:
            protocol.write(_with_final_dot(content))
            self._reach("M6")
            answer = await protocol.read_response(timeout=self._settings.smtp_acceptance_seconds)
        except _TROUBLE:
            client.close()
            return Handover("ambiguous")  # the link died: nobody knows whether the final dot arrived
        if answer.code < 300:
            return Handover("sent", answer.code)
        return Handover("refused" if answer.code >= 500 else "retry", answer.code)

    async def _connection(self) -> tuple[aiosmtplib.SMTP, int]:
        """Give a connection that answers, and how many mails it carried; raises what keeps us from having one."""
        while self._idle:
            client, used, closing = self._idle.pop()
            closing.cancel()
            try:
                await client.rset()
            except _TROUBLE:
                client.close()
            else:
                return client, used
        return await self._connected(), 0

    async def _connected(self) -> aiosmtplib.SMTP:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "implicit",
            start_tls=settings.smtp_tls == "starttls",
            cert_bundle=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            local_hostname=settings.mail_domain,
            timeout=settings.smtp_timeout_seconds,
        )
        try:
            await client.connect()
            await _greet(client)
        except _TROUBLE:
            client.close()
            raise
        return client

    def _keep(self, client: aiosmtplib.SMTP, used: int) -> None:
        loop = asyncio.get_running_loop()
        self._idle.append((client, used, loop.call_later(_IDLE_SECONDS, self._let_go, client)))

    def _let_go(self, client: aiosmtplib.SMTP) -> None:
        self._idle = [kept for kept in self._idle if kept[0] is not client]
        client.close()


def _judged(error: Exception, refused: range | tuple[int, ...]) -> Handover:
    """Judge a failure before the mail's text was sent: without an answer, the server is away."""
    code = _code(error)
    if code is None or code in _CONFIGURATION:
        return Handover("away", code)
    if code in refused:
        return Handover("refused", code)
    return Handover("retry" if code < 500 else "away", code)


def _code(error: Exception) -> int | None:
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None


def _mail_options(client: aiosmtplib.SMTP, content: bytes, envelope_id: str) -> list[str]:
    """Choose from what the server offers (RFC 1870, 6152, 3461)."""
    offered = {
        "size": f"SIZE={len(content)}",
        "8bitmime": "BODY=7BIT" if content.isascii() else "BODY=8BITMIME",
        "dsn": f"RET=HDRS ENVID={envelope_id}",
    }
    return [option for extension, option in offered.items() if client.supports_extension(extension)]


def _with_final_dot(content: bytes) -> bytes:
    r"""Write a mail as DATA wants it (RFC 5321, section 4.5.2).

    >>> _with_final_dot(b"a\r\n.b\r\n")
    b'a\r\n..b\r\n.\r\n'
    """
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", ended) + b".\r\n"


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Learn what the server offers."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    try:
        await asyncio.wait_for(client.quit(), _GOODBYE_SECONDS)
    except _TROUBLE:
        client.close()


async def look_at_the_server(mailer: Mailer, log: Logger) -> None:
    """Say at the start that no mail can go, where it is so; results are gathered all the same."""
    try:
        await mailer.check()
    except _TROUBLE as error:
        log.warning("mail_server_not_usable", error=type(error).__name__, code=_code(error))
