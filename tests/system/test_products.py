"""Producers that push one product at a time: whatever is killed, each product is one line of one report."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterable
from email import message_from_bytes
from email.policy import default
from functools import cache
from pathlib import Path

import pytest

from schemas.events import ProductSubmitted
from schemas.topics import PRODUCTS_SUBMITTED
from services.runtime.kafka import publisher
from tests.image_host import ImageHost
from tests.stack_fixtures import Stack, csv_rows
from tests.waiting import wait_for

pytestmark = pytest.mark.system


def push(stack: Stack, host: ImageHost, ids: Iterable[str]) -> None:
    """Write products to Kafka, each by itself."""
    ready = stack.ready()
    events = [
        ProductSubmitted(
            key_id=ready["api_key"].split("_")[1],
            image_path=f"{host.url}/{custom_id}.jpg",
            product_type="Shirt",
            hex_color_label="#C81E28",
            category="Fashion",
            custom_id=custom_id,
        )
        for custom_id in ids
    ]

    async def publish() -> None:
        async with publisher(ready["bootstrap_servers"], 30, 30) as out:
            await out.publish(PRODUCTS_SUBMITTED, events)

    asyncio.run(publish())


@cache
def ids_in(mail: Path) -> list[str]:
    """The ids of its products; a mail never changes, and there may be many."""
    return [row["custom_id"] for row in csv_rows(message_from_bytes(mail.read_bytes(), policy=default))]


def reported(stack: Stack, prefix: str) -> list[list[str]]:
    """List the ids of the products of each mail that has any of these."""
    found = [ids_in(mail) for mail in Path(stack.ready()["mail_dir"]).glob("*.eml")]
    return [ids for ids in found if ids and ids[0].startswith(prefix)]


def lines(stack: Stack, prefix: str) -> int:
    return sum(map(len, reported(stack, prefix)))


def test_single_products_are_reported_together(stack: Stack, host: ImageHost) -> None:
    ids = [f"together-{number}" for number in range(40)]
    push(stack, host, ids)
    wait_for(lambda: lines(stack, "together-") >= len(ids) or None, "mail of all products", 90)
    found = reported(stack, "together-")
    assert Counter(each for mail in found for each in mail) == Counter(ids)
    assert len(found) <= 2  # the end of a window may have come in between


def test_an_ingest_killed_while_it_gathers_loses_nothing_and_reports_nothing_twice(
    stack: Stack, host: ImageHost
) -> None:
    [victim] = stack.pids("ingest")
    ids = [f"killed-{number}" for number in range(600)]
    log = stack.data / "logs" / "ingest.log"
    before = log.read_text().count('"event": "gathered"')
    push(stack, host, ids[:400])
    wait_for(lambda: log.read_text().count('"event": "gathered"') > before or None, "first batch")
    os.kill(victim, signal.SIGKILL)
    push(stack, host, ids[400:])
    wait_for(lambda: lines(stack, "killed-") >= len(ids) or None, "mails of all products", 120)
    assert Counter(each for mail in reported(stack, "killed-") for each in mail) == Counter(ids)
    stack.assert_no_batch_was_mailed_twice()
    assert victim not in stack.pids("ingest")
