"""Ending a batch early: what is done stays, the rest is reported as canceled."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from schemas.api import Canceling
from schemas.events import CancellationRequested
from schemas.topics import CANCELLATIONS_REQUESTED
from services.ingest.door import Door
from services.ingest.inferences import Inference, Inferences
from services.ingest.reading import Reading
from services.ingest.refusals import RefusedError, unavailable
from services.runtime.kafka import KafkaUnavailableError, Publisher

_HEARSAY_SECONDS: Final = 0.3
"""How long what another replica has recorded may take to be read here."""


@dataclass(frozen=True)
class Cancellation:
    """Handles `DELETE /inference/{inference_id}`."""

    door: Door
    reading: Reading
    inferences: Inferences
    publisher: Publisher

    async def cancel(self, request: web.Request) -> web.Response:
        """Record that a batch is canceled, once that is durable; the answer is the same however often it is asked."""
        inference = self.reading.owned(request, self.door.enter(request, "cancel"))
        if inference.state != "in_progress" and not inference.is_canceled:
            await asyncio.sleep(_HEARSAY_SECONDS)
        if not inference.is_canceled:
            await self._record(inference)
        reply = Canceling(inference_id=inference.inference_id)
        return web.Response(status=202, body=reply.model_dump_json(), content_type="application/json")

    async def _record(self, inference: Inference) -> None:
        if inference.state != "in_progress" or inference.fingerprint is None:
            raise RefusedError(409, f"Inference {inference.inference_id} has ended and can no longer be canceled")
        event = CancellationRequested(
            inference_id=inference.inference_id,
            key_id=inference.key_id,
            size=inference.size,
            fingerprint=inference.fingerprint,
            submitted_at=inference.created_at,
            requested_at=datetime.now(UTC),
        )
        try:
            await self.publisher.publish(CANCELLATIONS_REQUESTED, [event])
        except KafkaUnavailableError as error:
            raise unavailable("The inference queue is") from error
        self.inferences.cancel(event)
