"""One record of `images.submitted` in, its one result out."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from schemas.classification import Classification
from schemas.events import ImageClassified, ImageSubmitted, ItemError, UndecodableError
from schemas.topics import IMAGES_CLASSIFIED
from services.classifier import metrics
from services.classifier.cancellations import Cancellations
from services.classifier.decoders import Decoders, NurseryError
from services.classifier.image_results import classify, result_of
from services.classifier.memory import Lease, Memory
from services.classifier.repeats import Repeats
from services.runtime.kafka import Publisher, Record
from services.runtime.lag import age_seconds
from services.runtime.logs import Logger
from services.runtime.tracing import Span, Tracer, Untraced, bound


@dataclass(frozen=True)
class Classifier:
    """Takes one record of `images.submitted` and writes its one result."""

    memory: Memory
    images: Repeats
    results: Publisher
    decoding: Decoders
    canceled: Cancellations
    log: Logger
    tracer: Tracer = field(default_factory=Untraced)

    async def process(self, record: Record) -> None:
        """Classify the record's image and write the result; what is no image of ours goes to the dead letters."""
        try:
            image = ImageSubmitted.decode(record.value)
        except UndecodableError as error:
            self.log.warning("dead_letter", topic=record.topic, offset=record.offset, reason=str(error))
            await self.results.dead_letter(record, "classifier", str(error))
            return
        with metrics.IN_FLIGHT.track_inprogress(), self.tracer.span("classify", record.traceparent) as span:
            await self._classify(image, span)

    async def _classify(self, image: ImageSubmitted, span: Span) -> None:
        began = time.monotonic()
        metrics.TAKEN.observe(age_seconds(image.submitted_at, _now()))
        log = bound(self.log.bind(inference_id=image.inference_id, index=image.index), span.traceparent)
        try:
            with self.memory.lease(image.inference_id) as lease:
                fetch, analyze = partial(self._fetch, image, lease, span), partial(self._analyze, span)
                result = await classify(image, fetch, analyze, self.canceled.includes, _now)
        except NurseryError:  # no image can be decoded: another process may fare better
            raise
        except Exception:  # ours, but one image must not stop the stream: a result, counted and logged
            log.exception("classification_failed")
            result = result_of(image, ItemError(code="internal", message="The image could not be analyzed"), _now())
        with metrics.PUBLISH_SECONDS.time(), self.tracer.span("publish", span.traceparent) as publishing:
            await self.results.publish(IMAGES_CLASSIFIED, [result], publishing.traceparent)
        outcome = _measured(image, result)
        span.note(inference_id=image.inference_id, index=image.index, outcome=outcome)
        log.info("image_classified", outcome=outcome, seconds=round(time.monotonic() - began, 4))

    async def _fetch(self, image: ImageSubmitted, lease: Lease, span: Span, url: str) -> bytes:
        with metrics.FETCH_SECONDS.time(), self.tracer.span("fetch", span.traceparent):
            return await self.images.fetch(url, image.inference_id, lease, _ends_at(image))

    async def _analyze(self, span: Span, image: ImageSubmitted, content: bytes) -> Classification:
        with self.tracer.span("decode", span.traceparent) as decoding:
            decoding.note(bytes=len(content))
            return await self.decoding.analyze(image, content, image.inference_id)


def _measured(image: ImageSubmitted, result: ImageClassified) -> str:
    """Count a result; returns the name of its outcome."""
    outcome = result.error.code if result.error else "succeeded"
    metrics.count_outcome(outcome)
    metrics.CLASSIFIED.observe(age_seconds(image.submitted_at, _now()))
    if result.classification is not None:
        metrics.count_answer(result.classification)
    return outcome


def _now() -> datetime:
    return datetime.now(UTC)


def _ends_at(image: ImageSubmitted) -> float:
    """When the image's batch ends, in the loop's clock."""
    if image.deadline_at is None:
        return math.inf
    return asyncio.get_running_loop().time() + (image.deadline_at - _now()).total_seconds()
