"""The published contract is what the models say, and every example of it is valid."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import EVENTS, ImageSubmitted, UndecodableError
from schemas.export import EXAMPLES, PUBLISHED, event_name, published_schemas
from schemas.fields import MAX_BATCH
from schemas.topics import TOPICS

EXAMPLE_FILES = sorted(EXAMPLES.glob("*.json"))


def test_the_published_schemas_are_those_of_the_models() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.glob("*.json")}
    assert published == published_schemas(), "run: make schemas"


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.stem)
def test_every_example_validates_against_its_published_schema(path: Path) -> None:
    schema = json.loads((PUBLISHED / path.name).read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text()))


@pytest.mark.parametrize("event", EVENTS, ids=event_name)
def test_every_event_has_an_example_that_survives_a_round_trip(event: type) -> None:
    found = event.decode((EXAMPLES / f"{event_name(event)}.json").read_bytes())
    assert event.decode(found.encode()) == found


def test_a_member_that_a_newer_writer_added_is_ignored() -> None:
    document = json.loads((EXAMPLES / "image.submitted.v1.json").read_text()) | {"season": "winter"}
    assert ImageSubmitted.decode(json.dumps(document).encode()).index == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "version: Input should be 1"),
        ({"type": "image.classified"}, "type: Input should be 'image.submitted'"),
        ({"index": MAX_BATCH}, "index: Input should be less than 250"),
        ({"image_path": "ftp://host/a.jpg"}, "image_path: "),
        ({"image_path": "http://user@host/a.jpg"}, "image_path: "),
        ({"image_path": "http:///a.jpg"}, "image_path: "),
        ({"product_type": " "}, "product_type: "),
        ({"hex_color_label": "#12345"}, "hex_color_label: "),
        ({"inference_id": "3F0C9A52-8F0E-4D0B-9A54-0C1F6F2D7B10"}, "inference_id: "),
        ({"submitted_at": "2026-11-24T09:30:00"}, "submitted_at: "),
    ],
)
def test_what_breaks_a_rule_is_refused_with_the_member_and_without_its_value(
    change: dict[str, object], reason: str
) -> None:
    document = json.loads((EXAMPLES / "image.submitted.v1.json").read_text()) | change
    with pytest.raises(UndecodableError) as caught:
        ImageSubmitted.decode(json.dumps(document).encode())
    assert str(caught.value).startswith(reason)


@given(st.one_of(st.none(), st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_whatever_a_record_holds_decoding_ends_in_an_event_or_a_named_refusal(value: bytes | None) -> None:
    with pytest.raises(UndecodableError):
        ImageSubmitted.decode(value)


def test_every_topic_is_declared_once_and_names_its_writers_and_readers() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert all(topic.written_by and topic.read_by for topic in TOPICS)


def test_what_faust_partitions_together_has_one_partition_count() -> None:
    together = ("batches.", "cancellations.", "images.classified", "reports.", "reporter.control", "huestream-reporter")
    assert len({topic.partitions for topic in TOPICS if topic.name.startswith(together)}) == 1
