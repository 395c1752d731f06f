"""`huestream keys`, on a file and on a real Kafka: the secret is shown once, and only its hash is kept."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.events import ApiKey
from services.__main__ import main
from services.runtime.api_keys import KeyRing
from services.runtime.key_sources import read_keys
from tests.kafka_fixtures import RunningKafka


class Keys:
    """The command, with where it keeps keys."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *where: str) -> None:
        self._capsys = capsys
        self._where = where

    def __call__(self, *words: str, status: int = 0) -> str:
        assert main(["keys", *words, *self._where]) == status
        captured = self._capsys.readouterr()
        return captured.out if status == 0 else captured.err

    def refused(self, *words: str) -> str:
        """What the command line itself refuses."""
        with pytest.raises(SystemExit):
            main(["keys", *words, *self._where])
        return self._capsys.readouterr().err


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.jsonl"


@pytest.fixture
def keys(capsys: pytest.CaptureFixture[str], file: Path) -> Keys:
    return Keys(capsys, "--file", str(file))


def kept(file: Path) -> ApiKey:
    [key] = read_keys(file)
    return key


def ring(file: Path) -> KeyRing:
    known = KeyRing()
    known.replace(read_keys(file))
    return known


def test_a_key_is_shown_once_and_kept_as_a_hash_that_only_its_owner_may_read(keys: Keys, file: Path) -> None:
    secret = keys("issue", "--owner", "Shop", "--email", "a@shop.example").strip()
    assert re.fullmatch(r"hue_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", secret)
    assert secret[-43:] not in file.read_text()
    assert secret[-43:] not in keys("list") + keys("show", kept(file).key_id)
    assert file.stat().st_mode & 0o777 == 0o600
    assert ring(file).authenticate(secret, datetime.now(UTC)).owner == "Shop"


def test_limits_scopes_and_expiry_are_kept_and_shown(keys: Keys, file: Path) -> None:
    keys("issue", "--owner", "Shop", "--scopes", "read", "--expires", "90d", "--images-per-minute", "500")
    key = kept(file)
    assert (key.scopes, key.images_per_minute, key.requests_per_minute) == (("read",), 500, None)
    assert key.expires_at is not None
    assert key.expires_at - datetime.now(UTC) > timedelta(days=89)
    shown = keys("show", key.key_id)
    for line in ("scopes    read", "images    500 a minute", "requests  as many as the endpoint allows", "not mailed"):
        assert line in shown
    keys("issue", "--owner", "Shop", "--expires", "2999-01-31")
    assert datetime(2999, 1, 31, tzinfo=UTC) in {each.expires_at for each in read_keys(file)}


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--images-per-minute", "249", "--images-per-minute: Input should be greater than or equal to 250"),
        ("--requests-per-minute", "0", "--requests-per-minute: Input should be greater than or equal to 1"),
        ("--scopes", "admin", "--scopes: Input should be 'submit' or 'read'"),
        ("--scopes", "", "--scopes: Input should be 'submit' or 'read'"),
        ("--email", "=?x?=@y", "--email: String should match pattern"),
    ],
)
def test_what_a_key_cannot_have_is_refused_in_one_sentence(
    keys: Keys, file: Path, option: str, value: str, sentence: str
) -> None:
    assert keys("issue", "--owner", "Shop", option, value, status=1).startswith(f"huestream: {sentence}")
    assert not file.exists()


@pytest.mark.parametrize(("value", "reason"), [("2020-01-01", "that is past"), ("soon", "expected a date")])
def test_an_expiry_is_a_date_to_come(keys: Keys, value: str, reason: str) -> None:
    assert reason in keys.refused("issue", "--owner", "Shop", "--expires", value)


def test_a_rotated_key_keeps_its_id_and_its_old_secret_for_as_long_as_was_said(keys: Keys, file: Path) -> None:
    first = keys("issue", "--owner", "Shop", "--images-per-minute", "500").strip()
    key_id, now = kept(file).key_id, datetime.now(UTC)
    second = keys("rotate", key_id, "--overlap", "12h").strip()
    assert second.startswith(f"hue_{key_id}_")
    assert kept(file).images_per_minute == 500
    for moment, valid in ((now, [first, second]), (now + timedelta(hours=13), [second])):
        assert [_holds(file, secret, moment) for secret in (first, second)] == [s in valid for s in (first, second)]
    assert "rotated   the former secret works until" in keys("show", key_id)
    third = keys("rotate", key_id, "--overlap", "0h").strip()
    assert [_holds(file, secret, datetime.now(UTC)) for secret in (first, second, third)] == [False, False, True]


def _holds(file: Path, secret: str, moment: datetime) -> bool:
    try:
        ring(file).authenticate(secret, moment)
    except Exception:  # noqa: BLE001  # whatever the reason is
        return False
    return True


def test_a_revoked_key_stays_revoked(keys: Keys, file: Path) -> None:
    secret = keys("issue", "--owner", "Shop").strip()
    key_id = kept(file).key_id
    assert keys("revoke", key_id) == f"revoked {key_id}\n"
    assert not _holds(file, secret, datetime.now(UTC) - timedelta(hours=1))  # of a replica whose clock is late
    assert "revoked" in keys("list")
    sentence = f"huestream: the key {key_id} has been revoked; issue a new one\n"
    assert keys("rotate", key_id, status=1) == sentence


@pytest.mark.parametrize("action", ["show", "revoke", "rotate"])
def test_a_key_that_there_is_not_is_named(keys: Keys, action: str) -> None:
    assert keys(action, "nobody", status=1) == "huestream: there is no key 'nobody'; see: huestream keys list\n"


def test_a_file_that_is_none_of_keys_is_one_sentence(keys: Keys, file: Path) -> None:
    file.write_text("\nsecret\n")
    sentence = "huestream: line 2 of the file of API keys cannot be used: the record: it is not JSON\n"
    assert keys("list", status=1) == sentence


@pytest.mark.system
def test_keys_in_the_topic_are_issued_shown_rotated_and_revoked(
    kafka: RunningKafka, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["topics", "create", "--replicas", "1", "--bootstrap-servers", kafka.bootstrap])
    capsys.readouterr()
    keys = Keys(capsys, "--bootstrap-servers", kafka.bootstrap)
    secret = keys("issue", "--owner", "Shop", "--requests-per-minute", "7").strip()
    key_id = secret.split("_")[1]
    assert "requests  7 a minute" in keys("show", key_id)
    assert keys("rotate", key_id).strip() != secret
    assert "rotated" in keys("show", key_id)
    keys("revoke", key_id)
    assert f"{key_id}, revoked" in keys("show", key_id)
