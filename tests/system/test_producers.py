"""Producers that write to Kafka themselves: the same report for the same events, and no harm from any others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from schemas.topics import BATCHES_SUBMITTED, IMAGES_CLASSIFIED, IMAGES_SUBMITTED, Topic
from tests.image_host import image_host
from tests.stack_fixtures import Stack, csv_rows, items
from tests.waiting import wait_for

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "producer.py"


def test_the_example_of_the_docs_gets_the_same_report(stack: Stack) -> None:
    ready = stack.ready()
    key_id = ready["api_key"].split("_")[1]
    with image_host() as host:
        done = subprocess.run(
            [sys.executable, str(EXAMPLE), ready["bootstrap_servers"], key_id],
            input=json.dumps(items(host.url, 5)).encode(),
            capture_output=True,
            timeout=60,
            check=True,
        )
        inference_id = done.stdout.decode().strip()
        rows = csv_rows(stack.wait_for_mail(inference_id))
    assert [row["status"] for row in rows] == ["succeeded"] * 5
    stack.wait_for_status(inference_id, status="completed", response_item_count=5)
    assert len(EXAMPLE.read_text().splitlines()) <= 60


def dead_letters(stack: Stack) -> list[dict[str, str]]:
    listing = subprocess.run(
        [sys.executable, "-m", "services", "dead-letters", "--bootstrap-servers", stack.ready()["bootstrap_servers"]],
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in listing.stdout.splitlines()]


async def write(stack: Stack, topic: Topic, value: bytes | None) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.ready()["bootstrap_servers"], acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(topic.name, value, key=b"foreign")
    finally:
        await producer.stop()


@pytest.mark.parametrize(
    "topic", [IMAGES_SUBMITTED, BATCHES_SUBMITTED, IMAGES_CLASSIFIED], ids=lambda topic: topic.name
)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"not JSON", "the record: it is not JSON"),
        (b'{"type": "image.submitted", "version": 99}', ": "),
        (b"x" * 70_000, "the record has 70000 bytes"),
        (None, "the record has no value"),
    ],
    ids=["not-json", "unknown-version", "too-large", "no-value"],
)
async def test_a_foreign_record_becomes_a_dead_letter_with_its_origin(
    stack: Stack, topic: Topic, value: bytes | None, reason: str
) -> None:
    before = len(dead_letters(stack))
    await write(stack, topic, value)
    letters = wait_for(lambda: dead_letters(stack)[before:] or None, "dead letter", 30)
    assert letters[0]["origin-topic"] == topic.name
    assert reason in letters[0]["reason"]
    assert {"origin-partition", "origin-offset", "service"} <= set(letters[0])


def test_after_foreign_records_a_batch_still_goes_through(stack: Stack) -> None:
    with image_host() as host:
        stack.wait_for_mail(stack.submit(items(host.url, 2)).body["inference_id"])
