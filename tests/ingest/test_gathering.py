"""Single products of producers become batches of their keys, or dead letters: three replicas on a real Kafka."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from schemas.events import Event, ProductSubmitted
from schemas.fields import MAX_BATCH
from schemas.topics import PRODUCTS_SUBMITTED
from services.runtime.kafka import Publisher, publisher
from tests.ingest.calling import Caller, eventually
from tests.ingest.others import Others
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system


@pytest.fixture
async def producer(kafka: RunningKafka) -> AsyncIterator[Publisher]:
    async with publisher(kafka.bootstrap, 15, 15) as out:
        yield out


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def key_id(key: str | None) -> str:
    return str(key).split("_")[1]


def products(key: str | None, count: int) -> Sequence[Event]:
    return [
        ProductSubmitted(
            key_id=key_id(key),
            image_path=f"https://shop.example/{number}.png",
            product_type="Shoes",
            custom_id=f"SKU-{number}",
        )
        for number in range(count)
    ]


async def batches(caller: Caller) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await caller.get("/inferences?limit=100")).body["inferences"]
    return listed


async def wait_for_images(caller: Caller, count: int) -> list[dict[str, Any]]:
    async def all_are_gathered() -> bool:
        return sum(each["request_item_count"] for each in await batches(caller)) >= count

    await eventually(all_are_gathered, 60)
    return await batches(caller)


async def test_products_of_one_key_become_batches_of_it_and_those_of_another_key_others(
    caller: Caller, issued: dict[str, str], owner: int, producer: Publisher, others: Others
) -> None:
    second = caller.using(issued[f"{owner}b"])
    await producer.publish(PRODUCTS_SUBMITTED, products(caller.key, 5), TRACE)
    await producer.publish(PRODUCTS_SUBMITTED, products(second.key, 3))
    gathered = await wait_for_images(caller, 8)
    records = [record for each in gathered for record in await others.batch_records(each["id"])]
    of_keys = {key_id(each.key): 0 for each in (caller, second)}
    for record in records:
        of_keys[record.key_id] += record.size
    assert of_keys == {key_id(caller.key): 5, key_id(second.key): 3}
    traces = {record.key_id: set(await others.traces(record.inference_id)) for record in records}
    assert traces == {key_id(caller.key): {TRACE}, key_id(second.key): {None}}
    images = [
        image
        for record in records
        if record.key_id == key_id(caller.key)
        for index in range(record.size)
        for image in await others.image(record.inference_id, index)
    ]
    assert sorted(image.custom_id or "" for image in images) == [f"SKU-{number}" for number in range(5)]
    assert {image.category for image in images} == {None}


async def test_a_batch_ends_at_250_products(caller: Caller, producer: Publisher) -> None:
    await producer.publish(PRODUCTS_SUBMITTED, products(caller.key, MAX_BATCH + 10))
    gathered = await wait_for_images(caller, MAX_BATCH + 10)
    sizes = [each["request_item_count"] for each in gathered]
    assert sum(sizes) == MAX_BATCH + 10
    assert len(sizes) >= 2
    assert max(sizes) <= MAX_BATCH


def dead_letters(kafka: RunningKafka) -> list[str]:
    """List why products became dead letters."""
    command = [sys.executable, "-m", "services", "dead-letters", "--bootstrap-servers", kafka.bootstrap]
    listing = subprocess.run(command, capture_output=True, timeout=60, check=True)
    letters = map(json.loads, listing.stdout.splitlines())
    return [letter["reason"] for letter in letters if letter["origin-topic"] == PRODUCTS_SUBMITTED.name]


async def test_what_is_no_product_or_of_a_key_that_may_not_submit_is_a_dead_letter(
    kafka: RunningKafka, caller: Caller, issued: dict[str, str], producer: Publisher
) -> None:
    names = ("revoked", "expired", "reader")
    keys = ["hue_nobody_x", *(issued[name] for name in names)]
    await producer.publish(PRODUCTS_SUBMITTED, [event for key in keys for event in products(key, 1)])
    odd = ProductSubmitted.model_construct(key_id=key_id(caller.key), image_path="ftp://shop.example/0.png")
    await producer.publish(PRODUCTS_SUBMITTED, [odd, *products(caller.key, 1)])

    async def all_are_dead() -> bool:
        return len(dead_letters(kafka)) >= len(keys) + 1

    await eventually(all_are_dead, 60)
    assert sorted(reason.partition(":")[0] for reason in dead_letters(kafka)) == [
        "image_path",
        "its API key is expired",
        "its API key is not allowed to submit images",
        "its API key is not known",
        "its API key is revoked",
    ]
    assert [each["request_item_count"] for each in await wait_for_images(caller, 1)] == [1]
