"""The secret that signs what is sent to one API key's owner: derived, so that it is kept nowhere."""

import base64
import hashlib
import hmac

from pydantic import SecretStr


def webhook_secret(master: SecretStr, key_id: str) -> bytes:
    """Derive the secret of a key; another key's says nothing about it."""
    return hmac.digest(master.get_secret_value().encode(), f"webhook/{key_id}".encode(), hashlib.sha256)


def shown_secret(secret: bytes) -> str:
    """Write a secret as Standard Webhooks libraries take it.

    >>> shown_secret(b"abc")
    'whsec_YWJj'
    """
    return f"whsec_{base64.b64encode(secret).decode()}"
