"""Keys in a file: what it says holds, and a file that cannot be used changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.events import ApiKey
from services.runtime.api_keys import KeyRing
from services.runtime.key_sources import KeyFile, KeyFileError, append_key, known_keys, read_keys
from services.runtime.logs import configure_logs

LOG = configure_logs("test", "error")


def key(key_id: str, **changes: object) -> ApiKey:
    made = ApiKey(key_id=key_id, owner="Shop", secret_sha256="a" * 64, created_at=datetime(2026, 11, 24, tzinfo=UTC))
    return made.model_copy(update=changes)


@asynccontextmanager
async def followed(path: Path) -> AsyncIterator[KeyRing]:
    ring = KeyRing()
    file = KeyFile(path, ring, LOG)
    file.load()
    following = asyncio.create_task(file.follow())
    try:
        yield ring
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def ids_become(ring: KeyRing, *ids: str) -> None:
    async with asyncio.timeout(2):
        while {each.key_id for each in ring.all()} != set(ids):  # noqa: ASYNC110  # what changes is a file
            await asyncio.sleep(0.02)


def test_the_last_record_of_an_id_holds(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(key("a").encode())  # without an end of its line
    append_key(path, key("b"))
    append_key(path, key("a", owner="Other"))
    assert [(each.key_id, each.owner) for each in read_keys(path)] == [("a", "Other"), ("b", "Shop")]


async def test_changes_are_known_within_2_seconds_also_where_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    append_key(path, key("a"))
    async with followed(path) as ring:
        append_key(path, key("b"))
        await ids_become(ring, "a", "b")
        other = tmp_path / "other"
        append_key(other, key("c"))
        other.replace(path)
        await ids_become(ring, "c")


async def test_a_file_that_cannot_be_used_leaves_the_keys_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    append_key(path, key("a"))
    async with followed(path) as ring:
        for spoil in (lambda: path.write_text("{"), path.unlink):
            spoil()
            with pytest.raises(TimeoutError):
                await ids_become(ring)
            assert ring.get("a") is not None
        append_key(path, key("d"))
        await ids_become(ring, "d")


async def test_where_a_file_is_named_kafka_is_not_asked_for_keys(tmp_path: Path) -> None:
    path, ring = tmp_path / "keys", KeyRing()
    append_key(path, key("a"))
    async with known_keys(path, ring, "127.0.0.1:1", 1, LOG):
        assert ring.get("a") is not None


def test_at_a_start_it_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"^the file of API keys cannot be read: No such file or directory$"):
        KeyFile(tmp_path / "none", KeyRing(), LOG).load()
