"""Cursors of a list: where it goes on, signed so that only what was given out comes back. Pure."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Final

from services.ingest.inferences import Position

MAX_PAGE: Final = 100
"""Entries of one page, at most."""
_SIGNATURE_BYTES: Final = 16


class CursorError(ValueError):
    """A text is no cursor of this key."""


def cursor_of(position: Position, secret: str) -> str:
    """Write the position after which a list goes on; the secret is the hash of the API key, known to all replicas."""
    text = f"{position[0].isoformat()} {position[1]}".encode()
    return base64.urlsafe_b64encode(_signature(text, secret) + text).decode().rstrip("=")


def position_of(cursor: str, secret: str) -> Position:
    """Read a cursor; raises `CursorError`.

    >>> from datetime import UTC
    >>> position = (datetime(2026, 11, 24, tzinfo=UTC), "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10")
    >>> position_of(cursor_of(position, "secret"), "secret") == position
    True
    """
    try:
        signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CursorError("not base64") from error
    signature, text = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(text, secret)):
        raise CursorError("wrong signature")
    moment, _, inference_id = text.decode().partition(" ")
    return datetime.fromisoformat(moment), inference_id


def _signature(text: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), text, hashlib.sha256)[:_SIGNATURE_BYTES]
