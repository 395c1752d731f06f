"""The accept protocol: images first, the batch record last, an answer only when both are durable."""

import asyncio
import time
from typing import Final

from schemas.topics import BATCHES_SUBMITTED, IMAGES_SUBMITTED
from services.ingest import metrics
from services.ingest.batches import Batch
from services.ingest.inferences import Inferences
from services.ingest.refusals import RefusedError
from services.runtime.following import Follower
from services.runtime.kafka import KafkaUnavailableError, Publisher

RETRY_AFTER_SECONDS: Final = 5
_ONCE_AWAY_SECONDS: Final = 2.0
"""How long a request waits for a Kafka that has just not answered another one."""
_DOUBT_SECONDS: Final = 10.0


class Acceptance:
    """Publishes batches."""

    def __init__(
        self, publisher: Publisher, follower: Follower, inferences: Inferences, timeout_seconds: float
    ) -> None:
        self._publisher = publisher
        self._follower = follower
        self._inferences = inferences
        self._timeout_seconds = timeout_seconds
        self._away_until = 0.0

    @property
    def available(self) -> bool:
        """Whether there is no reason to doubt that Kafka answers."""
        return time.monotonic() >= self._away_until

    async def accept(self, batch: Batch, *, idempotent: bool) -> None:
        """Make a batch durable; raises `RefusedError` (422: another body has this id; 503: Kafka is away)."""
        if idempotent and self._is_known(batch):
            return
        limit = self._timeout_seconds if self.available else min(_ONCE_AWAY_SECONDS, self._timeout_seconds)
        try:
            async with asyncio.timeout(limit):
                await self._publish(batch)
        except (KafkaUnavailableError, TimeoutError) as error:
            self._away_until = time.monotonic() + _DOUBT_SECONDS
            raise RefusedError(
                503,
                f"The inference queue is unavailable; retry after {RETRY_AFTER_SECONDS} seconds",
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            ) from error
        self._away_until = 0.0
        metrics.BATCHES.inc()
        metrics.IMAGES.inc(batch.record.size)

    async def _publish(self, batch: Batch) -> None:
        """Publish, and read the batch record back: from then on this replica knows it, and which body was first."""
        with metrics.PUBLISH_SECONDS.time():
            await self._publisher.publish(IMAGES_SUBMITTED, batch.images)
            [(partition, offset)] = await self._publisher.publish(BATCHES_SUBMITTED, [batch.record])
        await self._follower.wait_for(BATCHES_SUBMITTED, partition, offset, self._timeout_seconds)
        self._is_known(batch)

    def _is_known(self, batch: Batch) -> bool:
        """Say whether this very batch was accepted before; raises when another body took its id."""
        first = self._inferences.batch(batch.record.inference_id)
        if first is not None and first.fingerprint != batch.record.fingerprint:
            raise RefusedError(422, "The Idempotency-Key was already used with another request body")
        return first is not None
