"""What a replica knows is the same in whatever order it learned it, and it forgets in time."""

import gc
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.events import BatchSubmitted, InferenceStatus
from services.ingest.inferences import REMEMBERED, Inferences
from services.ingest.replies import status_of
from services.runtime.kafka import Record

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RECORD = Record("topic", 0, 0, None, None)
ONE = "00000000-0000-4000-8000-000000000001"


def batch(inference_id: str = ONE, fingerprint: str = "a", **changes: Any) -> BatchSubmitted:
    given: dict[str, Any] = {
        "inference_id": inference_id,
        "key_id": "key",
        "size": 10,
        "fingerprint": fingerprint * 64,
        "submitted_at": NOW,
        "deadline_at": NOW + timedelta(hours=1),
    }
    return BatchSubmitted(**(given | changes))


def status(inference_id: str = ONE, **changes: Any) -> InferenceStatus:
    given: dict[str, Any] = {
        "inference_id": inference_id,
        "key_id": "key",
        "state": "in_progress",
        "size": 10,
        "succeeded": 3,
        "failed": 1,
        "created_at": NOW,
        "updated_at": NOW + timedelta(seconds=2),
    }
    return InferenceStatus(**(given | changes))


def inference_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def test_the_first_batch_record_of_an_id_decides_wherever_its_status_comes() -> None:
    events = [batch(), batch(fingerprint="b"), status()]
    for place in range(3):
        order = [*events[:2]]
        order.insert(place, events[2])
        changes: list[str] = []
        inferences = Inferences(changes.append)
        for event in order:
            inferences.fold_batch(RECORD, event)
            inferences.fold_status(RECORD, event)
        found = inferences.get(ONE)
        assert found is not None
        assert (found.fingerprint, found.succeeded, found.failed) == ("a" * 64, 3, 1)
        assert changes == [ONE, ONE]
        assert [each.inference_id for each in inferences.newest(["key"], 10)] == [ONE]


def test_only_the_record_that_decides_is_new() -> None:
    inferences = Inferences()
    assert [inferences.fold_batch(RECORD, event) for event in (batch(), batch(), batch(fingerprint="b"))] == [
        True,
        False,
        False,
    ]


def test_the_counts_of_a_status_always_sum_to_the_total() -> None:
    inferences = Inferences()
    inferences.fold_status(RECORD, status(state="completed", succeeded=9, failed=1, finished_at=NOW))
    found = inferences.get(ONE)
    assert found is not None
    reply = status_of(found)
    progress = reply.progress
    assert progress.succeeded + progress.failed + progress.pending == progress.total == 10
    assert (reply.status, reply.response_item_count, reply.response_time) == ("completed", 10, 0.0)


@given(
    entries=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", "c"])), max_size=30),
    page=st.integers(1, 7),
)
def test_pages_together_are_all_of_the_owners_inferences_newest_first(
    entries: list[tuple[int, str]], page: int
) -> None:
    inferences = Inferences()
    for number, (second, key_id) in enumerate(entries):
        at = NOW + timedelta(seconds=second)
        inferences.fold_batch(RECORD, batch(inference_id(number), key_id=key_id, submitted_at=at))
    expected = sorted(
        ((NOW + timedelta(seconds=second), inference_id(n)) for n, (second, key) in enumerate(entries) if key != "c"),
        reverse=True,
    )
    found = []
    before = None
    for _ in itertools.repeat(None, 40):
        listed = inferences.newest(["a", "b", "unknown"], page, before)
        found += [each.position for each in listed]
        if not listed:
            break
        before = listed[-1].position
    assert found == expected


def forget_old(inferences: Inferences, now: datetime) -> None:
    for _ in inferences.forget_old(now):
        pass


def test_what_expired_long_ago_and_what_was_never_reported_is_forgotten() -> None:
    inferences = Inferences()
    inferences.fold_batch(RECORD, batch(inference_id(1)))
    inferences.fold_status(RECORD, status(inference_id(2), state="completed", expires_at=NOW))
    inferences.fold_status(RECORD, status(inference_id(3), state="completed", expires_at=NOW + timedelta(days=30)))
    forget_old(inferences, NOW + timedelta(days=7))
    assert len(inferences) == 3
    forget_old(inferences, NOW + REMEMBERED + timedelta(seconds=1))
    assert [each.inference_id for each in inferences.newest(["key"], 10)] == [inference_id(3)]
    assert len(inferences) == 1
    forget_old(inferences, NOW + 3 * REMEMBERED)
    assert inferences.newest(["key"], 10) == []
    assert len(inferences) == 0


def test_others_come_in_between_while_many_are_forgotten() -> None:
    inferences = Inferences()
    for number in range(5_000):
        inferences.fold_status(RECORD, status(inference_id(number), state="completed", expires_at=NOW))
    lengths = [len(inferences) for _ in inferences.forget_old(NOW + 2 * REMEMBERED)]
    assert lengths == [4_000, 3_000, 2_000, 1_000, 0]


def test_what_is_known_is_nothing_to_the_garbage_collector() -> None:
    """So that a look at all that is old does not take longer with each inference."""
    inferences = Inferences()
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1_000):
        inferences.fold_batch(RECORD, batch(inference_id(number)))
        inferences.fold_status(RECORD, status(inference_id(number), state="completed", expires_at=NOW))
    gc.collect()
    assert len(gc.get_objects()) - before < 50
    assert len(inferences) == 1_000
