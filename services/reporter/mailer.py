"""Handing a mail to the mail server: the one door to SMTP."""

import asyncio
from typing import Literal

import aiosmtplib

from services.reporter.settings import ReporterSettings

Handover = Literal["sent", "retry", "refused", "ambiguous"]


async def hand_over(settings: ReporterSettings, content: bytes, recipient: str) -> Handover:
    """Send one mail; says whether it went, may go later, never will, or may have gone although nobody said so."""
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        use_tls=settings.smtp_tls == "implicit",
        start_tls=settings.smtp_tls == "starttls",
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        timeout=settings.smtp_timeout_seconds,
    )
    try:
        await client.connect()
        await client.mail(settings.mail_from)
        await client.rcpt(recipient)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        client.close()
        return _before_data(error)
    return await _data(client, content)


async def _data(client: aiosmtplib.SMTP, content: bytes) -> Handover:
    try:
        await client.data(content)
    except aiosmtplib.SMTPResponseException as error:
        return "refused" if 500 <= error.code < 600 else "retry"
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        return "ambiguous"  # the link died: nobody knows whether the final dot arrived
    finally:
        await _goodbye(client)
    return "sent"


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    try:
        await asyncio.wait_for(client.quit(), 5)
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        client.close()


def _before_data(error: Exception) -> Handover:
    code = getattr(error, "code", None)
    return "refused" if isinstance(code, int) and 500 <= code < 600 and code not in _CONFIGURATION else "retry"


_CONFIGURATION = frozenset({502, 503, 504, 530, 534, 535, 538})
"""Refusals of our login or dialog: the operator mends them, and then the mail can go."""
