"""The accept protocol: images first, the batch record last, an answer only when both are durable."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from weakref import WeakValueDictionary

from schemas.events import BatchSubmitted
from schemas.topics import BATCHES_SUBMITTED, IMAGES_SUBMITTED
from services.ingest import metrics
from services.ingest.batches import Batch
from services.ingest.inferences import Inferences
from services.ingest.rate_limits import Limits, RateExceededError
from services.ingest.refusals import RETRY_AFTER_SECONDS, RefusedError, unavailable
from services.runtime.following import Follower
from services.runtime.kafka import KafkaUnavailableError, Publisher
from services.runtime.lag import age_seconds
from services.runtime.tracing import Tracer, Untraced

_ONCE_AWAY_SECONDS: Final = 2.0
"""How long a request waits for a Kafka that has not answered the one before."""
_UNREADY_SECONDS: Final = 10.0
"""How long this replica asks for no requests after a failure; then one has to try."""

_HEARSAY_SECONDS: Final = 0.1


class Acceptance:
    """Publishes batches."""

    def __init__(
        self,
        publisher: Publisher,
        follower: Follower,
        inferences: Inferences,
        limits: Limits,
        timeout_seconds: float,
        tracer: Tracer | None = None,
    ) -> None:
        self._publisher = publisher
        self._follower = follower
        self._inferences = inferences
        self._limits = limits
        self._timeout_seconds = timeout_seconds
        self._tracer = tracer or Untraced()
        self._failed_at: float | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def trouble(self) -> str | None:
        """Say why batches are better sent elsewhere, or None: what readiness asks."""
        if self._failed_at is None or time.monotonic() - self._failed_at > _UNREADY_SECONDS:
            return None
        return "Kafka did not acknowledge the last batch"

    async def accept(self, batch: Batch, *, idempotent: bool) -> None:
        """Make a batch durable; with an Idempotency-Key once only, however often it is asked for.

        Raises `RefusedError` (409, 422: the id is taken; 503: Kafka is away) and `RateExceededError`.
        """
        if not idempotent:
            await self._accept(batch, read_back=False)
            return
        async with self._turn(batch.record.inference_id):
            if not self._is_known(batch):
                await self._accept(batch, read_back=True)
                self._is_known(batch)

    @asynccontextmanager
    async def _turn(self, inference_id: str) -> AsyncIterator[None]:
        """Let one request of an id at a time publish; who waits for another one then finds its batch."""
        lock = self._turns.setdefault(inference_id, asyncio.Lock())
        try:
            await asyncio.wait_for(lock.acquire(), self._timeout_seconds)
        except TimeoutError as error:
            message = f"A request with this Idempotency-Key is in flight; retry after {RETRY_AFTER_SECONDS} seconds"
            raise RefusedError(409, message, {"Retry-After": str(RETRY_AFTER_SECONDS)}) from error
        try:
            yield
        finally:
            lock.release()

    async def _accept(self, batch: Batch, *, read_back: bool) -> None:
        """Spend the batch's images and publish it; give them back when that did not succeed."""
        record = batch.record
        await self._reserve(record)
        try:
            await self._publish_in_time(batch, read_back=read_back)
        except BaseException:
            self._limits.release(record.key_id, record.inference_id, record.size)
            raise
        self._limits.settle(record.inference_id)
        metrics.BATCHES.inc()
        metrics.IMAGES.inc(record.size)
        metrics.ACCEPTED.observe(age_seconds(record.submitted_at, datetime.now(UTC)))

    async def _reserve(self, record: BatchSubmitted) -> None:
        """Spend the images as of the time that the other replicas will read; refuse only what is refused twice.

        What other replicas have just accepted is not read yet: a moment later, the refusal can say how long it holds.
        """
        at = record.submitted_at.timestamp()
        try:
            self._limits.reserve(record.key_id, record.inference_id, record.size, at)
        except RateExceededError:
            await asyncio.sleep(_HEARSAY_SECONDS)
            self._limits.reserve(record.key_id, record.inference_id, record.size, at + _HEARSAY_SECONDS)

    async def _publish_in_time(self, batch: Batch, *, read_back: bool) -> None:
        patience = self._timeout_seconds if self._failed_at is None else min(_ONCE_AWAY_SECONDS, self._timeout_seconds)
        try:
            async with asyncio.timeout(patience):
                await self._publish(batch, read_back=read_back)
        except (KafkaUnavailableError, TimeoutError) as error:
            self._failed_at = time.monotonic()
            metrics.PUBLISH_FAILURES.inc()
            raise unavailable("The inference queue is") from error
        self._failed_at = None

    async def _publish(self, batch: Batch, *, read_back: bool) -> None:
        """Publish, and know the batch from then on: by the log where it has to say which body was first."""
        with metrics.PUBLISH_SECONDS.time(), self._tracer.span("publish", batch.traceparent) as span:
            start, trace = _number(batch.record.inference_id) % IMAGES_SUBMITTED.partitions, span.traceparent
            await self._publisher.publish_evenly(IMAGES_SUBMITTED, batch.images, start, trace)
            [(partition, offset)] = await self._publisher.publish(BATCHES_SUBMITTED, [batch.record], trace)
        if read_back:
            await self._follower.wait_for(BATCHES_SUBMITTED, partition, offset, self._timeout_seconds)
        else:
            self._inferences.take(batch.record)

    def _is_known(self, batch: Batch) -> bool:
        """Say whether this very batch was accepted before; raises when its id is taken by another."""
        first = self._inferences.get(batch.record.inference_id)
        if first is None:
            return False
        if first.fingerprint is None:
            raise RefusedError(409, "The Idempotency-Key belongs to a batch that is no longer kept; use a new one")
        if first.fingerprint != batch.record.fingerprint:
            raise RefusedError(422, "The Idempotency-Key was already used with another request body")
        return True


def _number(inference_id: str) -> int:
    """Read a UUID as the number that it is."""
    return int(inference_id.replace("-", ""), 16)
