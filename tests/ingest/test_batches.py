import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID

import jsonschema
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, to_builtins
from msgspec.structs import replace
from pydantic_core import to_json

from schemas.events import BatchSubmitted, ImageSubmitted
from schemas.export import PUBLISHED
from schemas.topics import IMAGES_SUBMITTED
from services.ingest.batches import batch_of, idempotent_id
from services.ingest.validation import Item

SCHEMA = jsonschema.Draft202012Validator(json.loads((PUBLISHED / "image.submitted.v1.json").read_text()))
NOW = datetime(2026, 11, 24, tzinfo=UTC)
IMAGES = [Item(f"http://h/{index}", "A") for index in range(3)]


def test_the_same_key_gives_the_same_id_and_every_other_key_another() -> None:
    first = idempotent_id("key1", "abc")
    assert first == idempotent_id("key1", "abc") == str(UUID(first))
    assert len({first, idempotent_id("key2", "abc"), idempotent_id("key1", "abd"), idempotent_id("key1/a", "bc")}) == 4


def test_the_fingerprint_tells_bodies_apart_by_content_and_order() -> None:
    def mark(images: list[Item]) -> str:
        return batch_of(images, idempotent_id("key1", "abc"), "key1", NOW, 60).record.fingerprint

    assert mark(IMAGES) == mark(list(IMAGES))
    assert mark(IMAGES) != mark(IMAGES[::-1])
    assert mark(IMAGES) != mark([*IMAGES[:2], replace(IMAGES[2], custom_id="x")])
    assert mark(IMAGES[:1]) == hashlib.sha256(b'[{"image_path":"http://h/0","product_type":"A"}]').hexdigest()


def test_a_fingerprint_is_of_what_pydantic_would_write_whatever_the_characters() -> None:
    """Those of batches that were accepted before msgspec wrote the images must hold."""
    text = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    batch = batch_of([Item("http://h/", text)], idempotent_id("key1", "abc"), "key1", NOW, 60)
    written = to_json([{"image_path": "http://h/", "product_type": text}])
    assert batch.record.fingerprint == hashlib.sha256(written).hexdigest()


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["C"]), max_size=20).map(lambda text: f"a{text}"),
    st.sampled_from(['"},{"image_path":"x', '},{"image_path":', "\\", '\\"},{\\"image_path\\":', '"}', "},{"]),
)


@given(texts=st.lists(st.tuples(TEXTS, st.none() | TEXTS), min_size=1, max_size=250))
def test_the_records_of_a_batch_are_its_events(texts: list[tuple[str, str | None]]) -> None:
    images = [Item("http://h/", text, custom_id=custom_id or UNSET) for text, custom_id in texts]
    batch = batch_of(images, idempotent_id("key1", "abc"), "key1", NOW, 60)
    assert BatchSubmitted.decode(batch.record.encode()) == batch.record
    assert batch.record.size == len(images) == len(batch.images)
    assert (batch.record.deadline_at - batch.record.submitted_at).total_seconds() == 60
    for index, (key, value) in enumerate(batch.images):
        SCHEMA.validate(json.loads(value))
        event = ImageSubmitted.decode(value)
        assert key.decode() == IMAGES_SUBMITTED.key(event)
        assert event == ImageSubmitted(
            **to_builtins(images[index]),
            inference_id=batch.record.inference_id,
            index=index,
            fingerprint=batch.record.fingerprint,
            submitted_at=NOW,
            deadline_at=batch.record.deadline_at,
        )
