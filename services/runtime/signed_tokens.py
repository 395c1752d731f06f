"""Tokens that let their bearer read one thing until a time: made by one service, checked by another, kept by none.

A token is the time of its end and an HMAC-SHA-256 over subject and time, cut to 128 bits (RFC 2104, section 5).
"""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field, SecretStr

_TIME_BYTES: Final = 5
_SIGNATURE_BYTES: Final = 16
MIN_SECRET: Final = 32

LinkSecret = Annotated[SecretStr, Field(min_length=MIN_SECRET, max_length=512)]
"""A setting: at least 32 characters that nobody guesses, the same in every service that makes or checks tokens."""


class InvalidTokenError(Exception):
    """A text is no token of this subject."""


class ExpiredTokenError(Exception):
    """The token was good, until its end."""


def token_of(secret: SecretStr, subject: str, expires_at: datetime) -> str:
    """Make a token.

    >>> from pydantic import SecretStr
    >>> moment = datetime(2026, 11, 24, tzinfo=UTC)
    >>> token = token_of(SecretStr("s" * 32), "page/1", moment)
    >>> len(token), read_token(SecretStr("s" * 32), "page/1", token, moment.replace(year=2025)) == moment
    (28, True)
    """
    ends = int(expires_at.timestamp()).to_bytes(_TIME_BYTES, "big")
    return base64.urlsafe_b64encode(ends + _signature(secret, subject, ends)).decode()


def read_token(secret: SecretStr, subject: str, token: str, now: datetime) -> datetime:
    """Check a token and return the time of its end; raises `InvalidTokenError` and `ExpiredTokenError`."""
    try:
        content = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise InvalidTokenError from error
    ends, signature = content[:_TIME_BYTES], content[_TIME_BYTES:]
    if not hmac.compare_digest(signature, _signature(secret, subject, ends)):
        raise InvalidTokenError
    expires_at = datetime.fromtimestamp(int.from_bytes(ends, "big"), UTC)
    if expires_at <= now:
        raise ExpiredTokenError
    return expires_at


def _signature(secret: SecretStr, subject: str, ends: bytes) -> bytes:
    text = subject.encode() + b"\0" + ends
    return hmac.digest(secret.get_secret_value().encode(), text, hashlib.sha256)[:_SIGNATURE_BYTES]
