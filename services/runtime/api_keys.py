"""API keys: made once, stored as hashes, folded by every replica from their topic."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.events import ApiKey, Event
from services.runtime.kafka import Record

_FORM: Final = re.compile(r"hue_([A-Za-z0-9]{1,32})_([A-Za-z0-9_-]{43})")
LOCAL_OWNER: Final = "local"
LOCAL_EMAIL: Final = "you@localhost.localdomain"
"""Of the key that `huestream local` makes, and that no production accepts."""
_NOBODY: Final = hashlib.sha256(b"nobody").hexdigest()


@dataclass(frozen=True)
class Secret:
    """A new key as its owner gets it, once, and the hash that is kept."""

    key_id: str
    text: str
    sha256: str


def new_secret() -> Secret:
    """Make a key of the form `hue_<id>_<secret>` with 256 random bits."""
    key_id = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    return Secret(key_id, f"hue_{key_id}_{secret}", _sha256(secret))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyRefusedError(Exception):
    """The key does not hold; the message is the contract's sentence."""


class KeyRing:
    """All keys, by id; the newest record of an id holds."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    def fold(self, _: Record, event: Event) -> None:
        """Take over one record of the keys' topic."""
        if isinstance(event, ApiKey):
            self._keys[event.key_id] = event

    def get(self, key_id: str) -> ApiKey | None:
        """Find a key by its id, which is no secret."""
        return self._keys.get(key_id)

    def all(self) -> Sequence[ApiKey]:
        """List all keys, oldest first."""
        return sorted(self._keys.values(), key=lambda key: key.created_at)

    def local(self) -> ApiKey | None:
        """Find a key of `huestream local` that still holds."""
        ours = (key for key in self._keys.values() if (key.owner, key.email) == (LOCAL_OWNER, LOCAL_EMAIL))
        return next((key for key in ours if key.revoked_at is None), None)

    def authenticate(self, presented: str | None, now: datetime) -> ApiKey:
        """Find the key that was presented; raises `KeyRefusedError`. Unknown ids cost the same time as known ones."""
        if not presented:
            raise KeyRefusedError("API key is missing. Send it in the x-vody-api-key header")
        form = _FORM.fullmatch(presented)
        key = self._keys.get(form[1]) if form else None
        matches = hmac.compare_digest(
            _sha256(form[2] if form else presented[:64]), key.secret_sha256 if key else _NOBODY
        )
        if key is None or not matches:
            raise KeyRefusedError("API key is invalid")
        if key.revoked_at is not None and key.revoked_at <= now:
            raise KeyRefusedError("API key has been revoked")
        if key.expires_at is not None and key.expires_at <= now:
            raise KeyRefusedError("API key has expired")
        return key
