"""The SMTP side: takes every mail for everyone, keeps it, and says so in one line of the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.local.mailbox.keeping import keep
from services.runtime.logs import Logger

MAX_MAIL_BYTES: Final = 25 * 1024 * 1024
_IDLE_SECONDS: Final = 60.0
_KEPT: Final = "250 2.0.0 Kept"
_NOT_KEPT: Final = "452 4.3.1 The mail cannot be kept; try again later"


class Catcher:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path, log: Logger) -> None:
        self._folder = folder
        self._log = log

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # its name
        """Keep a mail before it is acknowledged."""
        content = envelope.content
        if not isinstance(content, bytes):
            raise TypeError("the server was told to hand over bytes")
        try:
            path = await asyncio.to_thread(keep, self._folder, content, datetime.now(UTC))
        except OSError as error:
            self._log.error("mail_not_kept", reason=error.strerror, bytes=len(content))
            return _NOT_KEPT
        self._log.info("mail_kept", file=path.name, bytes=len(content), recipients=len(envelope.rcpt_tos))
        return _KEPT


@asynccontextmanager
async def catching(host: str, port: int, folder: Path, log: Logger) -> AsyncIterator[int]:
    """Take mails until the block ends; yields the port. Raises `OSError` when the port cannot be had."""
    catcher = Catcher(folder, log)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _session(catcher), host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _session(catcher: Catcher) -> SMTP:
    return SMTP(
        catcher,
        data_size_limit=MAX_MAIL_BYTES,
        enable_SMTPUTF8=True,
        hostname="localhost",  # or it would ask the name server
        ident="huestream mailbox",
        timeout=_IDLE_SECONDS,
        loop=asyncio.get_running_loop(),
    )
