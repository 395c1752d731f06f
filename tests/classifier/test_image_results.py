from datetime import UTC, datetime, timedelta

from schemas.classification import Classification
from schemas.events import CancellationRequested, ImageSubmitted
from services.classifier.cancellations import MAX_KNOWN, Cancellations
from services.classifier.image_results import classify
from services.runtime.kafka import Record

NOW = datetime(2026, 1, 2, tzinfo=UTC)
IMAGE = ImageSubmitted(
    image_path="http://host.example/a.jpg",
    product_type="Shirt",
    inference_id="00000000-0000-4000-8000-000000000001",
    index=3,
    fingerprint=f"{1:064}",
    submitted_at=NOW,
    deadline_at=NOW + timedelta(minutes=5),
)


async def never(*_: object) -> bytes:
    raise AssertionError("nothing is to be fetched")


async def neither(*_: object) -> Classification:
    raise AssertionError("nothing is to be analyzed")


async def test_an_image_of_a_batch_that_has_ended_is_not_fetched() -> None:
    late = NOW + timedelta(minutes=5)
    result = await classify(IMAGE, never, neither, lambda *_: False, lambda: late)
    assert result.error is not None
    assert (result.error.code, result.classified_at) == ("timed_out", late)


async def test_an_image_of_a_canceled_batch_is_not_fetched() -> None:
    canceled = Cancellations()
    event = CancellationRequested(
        inference_id=IMAGE.inference_id,
        key_id="key",
        size=4,
        fingerprint=IMAGE.fingerprint,
        submitted_at=NOW,
        requested_at=NOW,
    )
    canceled.fold(Record("t", 0, 0, None, None), event)
    result = await classify(IMAGE, never, neither, canceled.includes, lambda: NOW)
    assert result.error is not None
    assert result.error.code == "canceled"
    assert not canceled.includes(IMAGE.inference_id, f"{2:064}")  # another body under the id


def test_the_oldest_cancellations_are_forgotten_first() -> None:
    canceled = Cancellations()
    base = {"key_id": "key", "size": 1, "fingerprint": f"{1:064}", "submitted_at": NOW, "requested_at": NOW}
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(MAX_KNOWN + 1)]
    for inference_id in ids:
        event = CancellationRequested.model_construct(inference_id=inference_id, **base)
        canceled.fold(Record("t", 0, 0, None, None), event)
    assert not canceled.includes(ids[0], f"{1:064}")
    assert canceled.includes(ids[1], f"{1:064}")
