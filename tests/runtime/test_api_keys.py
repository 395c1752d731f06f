from datetime import UTC, datetime, timedelta

import pytest

from schemas.events import ApiKey
from services.runtime.api_keys import KeyRefusedError, KeyRing, new_secret
from services.runtime.kafka import Record

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RECORD = Record("api-keys.v1", 0, 0, None, None)


def ring_with(**changes: object) -> tuple[KeyRing, str]:
    secret = new_secret()
    key = ApiKey(
        key_id=secret.key_id, owner="Shop", email="a@shop.example", secret_sha256=secret.sha256, created_at=NOW
    )
    ring = KeyRing()
    ring.fold(RECORD, key.model_copy(update=changes))
    return ring, secret.text


def test_a_key_holds_with_its_secret_only() -> None:
    ring, secret = ring_with()
    assert ring.authenticate(secret, NOW).owner == "Shop"
    for wrong in (secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret + "A", secret.upper(), "hue_x_y"):
        with pytest.raises(KeyRefusedError, match=r"^API key is invalid$"):
            ring.authenticate(wrong, NOW)


@pytest.mark.parametrize("absent", [None, ""])
def test_an_absent_key_is_missing(absent: str | None) -> None:
    with pytest.raises(KeyRefusedError, match=r"is missing. Send it in the x-vody-api-key header"):
        ring_with()[0].authenticate(absent, NOW)


def test_only_the_owner_of_the_secret_learns_that_a_key_was_revoked_or_has_expired() -> None:
    revoked, secret = ring_with(revoked_at=NOW)
    with pytest.raises(KeyRefusedError, match="has been revoked"):
        revoked.authenticate(secret, NOW)
    expired, secret = ring_with(expires_at=NOW - timedelta(days=1))
    with pytest.raises(KeyRefusedError, match="has expired"):
        expired.authenticate(secret, NOW)
    with pytest.raises(KeyRefusedError, match="is invalid"):
        expired.authenticate(new_secret().text, NOW)
