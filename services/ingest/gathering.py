"""Gathering single products into batches.

A batch is published before its place in the log is committed, under an id that its place gives it: gathered again,
after a crash, it is the same batch. What was published before is known from the log of batches, and left as it is.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from schemas.events import ImageFields, ProductSubmitted, UndecodableError
from schemas.topics import BATCHES_SUBMITTED, IMAGES_SUBMITTED, PRODUCTS_SUBMITTED
from services.ingest import metrics
from services.ingest.batches import batch_of, gathered_id
from services.ingest.cutting import Cut, Cutter
from services.ingest.inferences import Inferences
from services.ingest.validation import Item
from services.runtime.api_keys import KeyRing, state_of
from services.runtime.following import Follower
from services.runtime.kafka import KafkaUnavailableError, Publisher, Record
from services.runtime.logs import Logger
from services.runtime.tracing import Tracer, Untraced, Value, bound

_AT_ONCE: Final = 16
_RETRY_SECONDS: Final = 1.0
_TELL_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Outlet:
    """Publishes what was cut, or gives it to the dead letters where its key may not submit."""

    publisher: Publisher
    inferences: Inferences
    keys: KeyRing
    log: Logger
    deadline_seconds: float
    tracer: Tracer = field(default_factory=Untraced)

    def known_size(self, partition: int, key_id: str, offset: int) -> int | None:
        """Say how many images a batch has that was published before."""
        found = self.inferences.get(gathered_id(PRODUCTS_SUBMITTED.name, partition, key_id, offset))
        return found.size if found else None

    async def finish(self, partition: int, cut: Cut) -> None:
        """End one batch for good, however long Kafka is away."""
        now = datetime.now(UTC)
        if cut.is_known:
            metrics.PRODUCTS.labels("known").inc(len(cut.items))
        elif reason := self._refusal(cut.key_id, now):
            await self.refuse(cut.records, reason)
        else:
            await until_durable(partial(self._publish, partition, cut, now))
            metrics.PRODUCTS.labels("gathered").inc(len(cut.items))
        cut.is_done = True

    async def refuse(self, records: Iterable[Record], reason: str) -> None:
        """Keep in the dead letters what makes no batch."""
        for record in records:
            await until_durable(partial(self.publisher.dead_letter, record, "ingest", reason))
            metrics.PRODUCTS.labels("refused").inc()

    def _refusal(self, key_id: str, now: datetime) -> str | None:
        key = self.keys.get(key_id)
        if key is None:
            return "its API key is not known"
        if (state := state_of(key, now)) != "valid":
            return f"its API key is {state}"
        return None if "submit" in key.scopes else "its API key is not allowed to submit images"

    async def _publish(self, partition: int, cut: Cut, now: datetime) -> None:
        inference_id = gathered_id(PRODUCTS_SUBMITTED.name, partition, cut.key_id, cut.first)
        batch = batch_of(cut.items, inference_id, cut.key_id, now, self.deadline_seconds)
        start = cut.first % IMAGES_SUBMITTED.partitions
        told: dict[str, Value] = {"inference_id": inference_id, "images": len(cut.items)}
        with self.tracer.begin("gather", cut.traceparent) as span:
            span.note(**told)
            await self.publisher.publish_evenly(IMAGES_SUBMITTED, batch.images, start, span.traceparent)
            await self.publisher.publish(BATCHES_SUBMITTED, [batch.record], span.traceparent)
        bound(self.log, span.traceparent).info("gathered", key_id=cut.key_id, **told)


class Gathering:
    """Cuts the partitions that this replica was given."""

    def __init__(self, outlet: Outlet, batches: Follower, window_seconds: float, timeout_seconds: float) -> None:
        self._outlet = outlet
        self._batches = batches
        self._window_seconds = window_seconds
        self._timeout_seconds = timeout_seconds
        self._cutters: dict[int, Cutter] = {}
        self._told: dict[int, float] = {}
        self._knows_what_was_published = False

    def begin(self, partitions: Sequence[int]) -> None:
        """Begin anew with these partitions; who had them before may have published a moment ago."""
        self._cutters = {
            number: Cutter(self._window_seconds, partial(self._outlet.known_size, number)) for number in partitions
        }
        self._knows_what_was_published = False

    async def turn(self, found: Mapping[int, Sequence[Record]]) -> Mapping[int, int]:
        """Cut what was read, publish what ended, and return the offsets before which all is done."""
        if not self._knows_what_was_published:
            await until_durable(partial(self._batches.read_to_end, self._timeout_seconds))
            self._knows_what_was_published = True
        cuts = [(number, cut) for number, records in found.items() for cut in await self._cut(number, records)]
        await self._finish(cuts)
        await self._tell_time()
        places = ((number, cutter.committable()) for number, cutter in self._cutters.items())
        return {number: place for number, place in places if place is not None}

    async def _cut(self, number: int, records: Sequence[Record]) -> list[Cut]:
        cuts: list[Cut] = []
        for record in records:
            try:
                product = product_in(record)
            except UndecodableError as error:
                await self._outlet.refuse([record], str(error))
                product = None
            cuts += self._cutters[number].take(record, product)
        return cuts

    async def _finish(self, cuts: Sequence[tuple[int, Cut]]) -> None:
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int, cut: Cut) -> None:
            async with places:
                await self._outlet.finish(number, cut)

        await asyncio.gather(*(one(number, cut) for number, cut in cuts))

    async def _tell_time(self) -> None:
        """Let the log itself say that windows are over, where no product does."""
        now = time.time()
        for number, cutter in self._cutters.items():
            if cutter.is_due(now) and now - self._told.get(number, 0) >= _TELL_SECONDS:
                self._told[number] = now
                await until_durable(partial(self._outlet.publisher.tell_time, PRODUCTS_SUBMITTED, number))


def product_in(record: Record) -> tuple[str, Item] | None:
    """Read a product and its key; None where a record only tells the time. Raises `UndecodableError`."""
    if record.value is None:
        return None
    event = ProductSubmitted.decode(record.value)
    members = ((name, getattr(event, name)) for name in ImageFields.model_fields)
    return event.key_id, Item(**{name: value for name, value in members if value is not None})


async def until_durable(write: Callable[[], Awaitable[None]]) -> None:
    """Try until Kafka takes it."""
    while True:
        try:
            await write()
        except KafkaUnavailableError:
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
