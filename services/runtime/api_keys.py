"""API keys: made once, stored as hashes, known to every replica."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

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


def new_secret(key_id: str | None = None) -> Secret:
    """Make a key of the form `hue_<id>_<secret>` with 256 random bits, with a new id or a new one of an old id."""
    key_id = key_id or secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    return Secret(key_id, f"hue_{key_id}_{secret}", _sha256(secret))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


State = Literal["valid", "expired", "revoked"]


def state_of(key: ApiKey, now: datetime) -> State:
    """Say whether a key holds; one that was revoked does not, whatever its clock says."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "valid"


def rotated(key: ApiKey, secret: Secret, former_until: datetime) -> ApiKey:
    """Give a key a new secret, beside which the old one works for a while."""
    former = {"former_sha256": key.secret_sha256, "former_until": former_until}
    return key.model_copy(update={"secret_sha256": secret.sha256} | former)


def _matches(key: ApiKey | None, secret: str, now: datetime) -> bool:
    """Compare a secret with those of a key; where there is no key, at the same cost."""
    presented = _sha256(secret)
    is_current = hmac.compare_digest(presented, key.secret_sha256 if key else _NOBODY)
    is_former = hmac.compare_digest(presented, key.former_sha256 if key and key.former_sha256 else _NOBODY)
    return is_current or (is_former and key is not None and key.former_until is not None and now < key.former_until)


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

    def replace(self, keys: Iterable[ApiKey]) -> None:
        """Know these keys and no others."""
        self._keys = {key.key_id: key for key in keys}

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
        matches = _matches(key, form[2] if form else presented[:64], now)
        if key is None or not matches:
            raise KeyRefusedError("API key is invalid")
        match state_of(key, now):
            case "revoked":
                raise KeyRefusedError("API key has been revoked")
            case "expired":
                raise KeyRefusedError("API key has expired")
        return key
