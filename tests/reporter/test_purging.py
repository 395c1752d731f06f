"""Reports go when they expire, their statuses a month later; nothing goes that ingest still has to answer for."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from schemas.events import InferenceStatus
from schemas.topics import INFERENCES_STATUS, Topic
from services.ingest.inferences import Inferences
from services.reporter.purging import REMEMBERED, Purge
from services.runtime.kafka import Record
from services.runtime.logs import configure_logs
from services.runtime.object_store import object_folder
from tests.reporter.examples import INFERENCE_ID, NOW

OTHER_ID = INFERENCE_ID[:-1] + "1"
EXPIRY = NOW + timedelta(days=30)


def status(inference_id: str, expires_at: datetime | None) -> InferenceStatus:
    return InferenceStatus(
        inference_id=inference_id,
        key_id="key1",
        state="completed" if expires_at else "in_progress",
        size=1,
        succeeded=1,
        failed=0,
        created_at=NOW,
        updated_at=NOW,
        finished_at=NOW,
        expires_at=expires_at,
    )


def record(inference_id: str, value: bytes | None) -> Record:
    return Record(INFERENCES_STATUS.name, 0, 0, inference_id.encode(), value)


async def purged(folder: Path, now: datetime, records: list[Record]) -> tuple[set[str], list[str]]:
    """Run a purge; gives the names of the reports that are left, and the statuses that were removed."""
    store = object_folder(str(folder))
    for inference_id in (INFERENCE_ID, OTHER_ID):
        for name in ("report.json", "results.csv", "mail.eml"):
            await store.put(f"{inference_id}/{name}", b"x")
    await store.put("notes.txt", b"of somebody else")
    forgotten: list[str] = []

    async def read_all(
        topic: Topic, partitions: Iterable[int], fold: Callable[[Record], None], timeout_seconds: float
    ) -> None:
        assert (topic, list(partitions)) == (INFERENCES_STATUS, [0, 1])
        assert timeout_seconds > 0
        for found in records:
            fold(found)

    async def forget(inference_id: str) -> None:
        forgotten.append(inference_id)

    await Purge(store, read_all, lambda: [0, 1], forget, lambda: now, configure_logs("test", "error")).run()
    return {path async for paths in store.all() for path in paths}, forgotten


async def left(folder: Path, now: datetime, *records: Record) -> tuple[set[str], list[str]]:
    paths, forgotten = await purged(folder, now, list(records))
    assert "notes.txt" in paths
    return {path.partition("/")[0] for path in paths} - {"notes.txt"}, forgotten


@pytest.mark.parametrize(
    ("now", "kept", "forgotten"),
    [
        (EXPIRY - timedelta(seconds=1), {INFERENCE_ID, OTHER_ID}, []),
        (EXPIRY, {OTHER_ID}, []),
        (EXPIRY + REMEMBERED, {OTHER_ID}, [INFERENCE_ID]),
    ],
)
async def test_a_report_goes_when_it_expires_and_its_status_a_month_later(
    now: datetime, kept: set[str], forgotten: list[str], tmp_path: Path
) -> None:
    records = [
        record(INFERENCE_ID, status(INFERENCE_ID, None).encode()),
        record(INFERENCE_ID, status(INFERENCE_ID, EXPIRY).encode()),
        record(OTHER_ID, status(OTHER_ID, None).encode()),
        record("nonsense", b"{"),
    ]
    assert await left(tmp_path, now, *records) == (kept, forgotten)


async def test_what_was_forgotten_is_not_forgotten_again(tmp_path: Path) -> None:
    records = [record(INFERENCE_ID, status(INFERENCE_ID, EXPIRY).encode()), record(INFERENCE_ID, None)]
    assert await left(tmp_path, EXPIRY + 2 * REMEMBERED, *records) == ({INFERENCE_ID, OTHER_ID}, [])


@pytest.mark.parametrize("moment", [EXPIRY, EXPIRY + REMEMBERED - timedelta(seconds=1)])
async def test_as_long_as_ingest_says_that_a_report_has_expired_it_can_read_that_it_has(
    moment: datetime, tmp_path: Path
) -> None:
    """A replica that starts at this moment knows it from the status alone: the batch record is gone by then."""
    found = record(INFERENCE_ID, status(INFERENCE_ID, EXPIRY).encode())
    _, forgotten = await left(tmp_path, moment, found)
    assert forgotten == []
    replica = Inferences()
    replica.fold_status(found, InferenceStatus.decode(found.value))
    assert list(replica.forget_old(moment))
    known = replica.get(INFERENCE_ID)
    assert known is not None
    assert known.is_expired(moment)
