from datetime import UTC, datetime
from uuid import UUID

from schemas.events import ImageFields
from services.ingest.batches import batch_of, fingerprint, idempotent_id

NOW = datetime(2026, 11, 24, tzinfo=UTC)
IMAGES = [ImageFields(image_path=f"http://h/{index}", product_type="A") for index in range(3)]


def test_the_same_key_gives_the_same_id_and_every_other_key_another() -> None:
    first = idempotent_id("key1", "abc")
    assert first == idempotent_id("key1", "abc") == str(UUID(first))
    assert len({first, idempotent_id("key2", "abc"), idempotent_id("key1", "abd"), idempotent_id("key1/a", "bc")}) == 4


def test_the_fingerprint_tells_bodies_apart_by_content_and_order() -> None:
    assert fingerprint(IMAGES) == fingerprint(list(IMAGES))
    assert fingerprint(IMAGES) != fingerprint(IMAGES[::-1])
    assert fingerprint(IMAGES) != fingerprint([*IMAGES[:2], IMAGES[2].model_copy(update={"custom_id": "x"})])


def test_images_and_record_of_a_batch_carry_one_id_and_one_fingerprint() -> None:
    batch = batch_of(IMAGES, idempotent_id("key1", "abc"), "key1", NOW, 60)
    assert [image.index for image in batch.images] == [0, 1, 2]
    assert {(image.inference_id, image.fingerprint) for image in batch.images} == {
        (batch.record.inference_id, batch.record.fingerprint)
    }
    assert batch.record.size == 3
    assert (batch.record.deadline_at - batch.record.submitted_at).total_seconds() == 60
