"""Producers that write to Kafka themselves: the same report for the same events, and no harm from any others."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from schemas.topics import BATCHES_SUBMITTED, IMAGES_CLASSIFIED, IMAGES_SUBMITTED, Topic
from tests.commands import run_here
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
    listing = run_here("dead-letters", "--bootstrap-servers", stack.ready()["bootstrap_servers"])
    assert listing.returncode == 0, listing.stderr
    return [json.loads(line) for line in listing.stdout.splitlines()]


async def write(stack: Stack, topic: Topic, values: Sequence[bytes | None]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.ready()["bootstrap_servers"], acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic.name, value, key=b"foreign")
    finally:
        await producer.stop()


FOREIGN = {
    b"not JSON": "the record: it is not JSON",
    b'{"type": "image.submitted", "version": 99}': ": ",
    b"x" * 70_000: "the record has 70000 bytes",
    None: "the record has no value",
}
"""Records that are not ours, with the reason that is to be told."""


@pytest.mark.parametrize(
    "topic", [IMAGES_SUBMITTED, BATCHES_SUBMITTED, IMAGES_CLASSIFIED], ids=lambda topic: topic.name
)
def test_foreign_records_become_dead_letters_with_their_origin(stack: Stack, topic: Topic) -> None:
    """All go to one partition, so that their offsets tell which letter is of which."""
    before = len(dead_letters(stack))
    asyncio.run(write(stack, topic, list(FOREIGN)))

    def look() -> list[dict[str, str]] | None:
        found = dead_letters(stack)[before:]
        return found if len(found) >= len(FOREIGN) else None

    letters = sorted(
        wait_for(look, "dead letters", 30, pause_seconds=0.5), key=lambda letter: int(letter["origin-offset"])
    )
    assert [letter["origin-topic"] for letter in letters] == [topic.name] * len(FOREIGN)
    for letter, reason in zip(letters, FOREIGN.values(), strict=True):
        assert reason in letter["reason"]
        assert {"origin-partition", "origin-offset", "service"} <= set(letter)


def test_after_foreign_records_a_batch_still_goes_through(stack: Stack) -> None:
    with image_host() as host:
        stack.wait_for_mail(stack.submit(items(host.url, 2)).body["inference_id"])
