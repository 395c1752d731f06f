"""Wires the classifier: Kafka, fetcher, decoder, analysis, Kafka."""

import asyncio
import gc
import math
import time
from datetime import UTC, datetime
from functools import partial
from typing import Final

from schemas.classification import Classification
from schemas.events import ImageSubmitted, ItemError, UndecodableError
from schemas.topics import DEAD_LETTERS, IMAGES_CLASSIFIED, IMAGES_SUBMITTED
from services.classifier import metrics
from services.classifier.decoders import Decoders, NurseryError, decoders
from services.classifier.fetching import Fetcher, fetcher
from services.classifier.image_results import classify, result_of
from services.classifier.memory import Lease, Memory
from services.classifier.settings import ClassifierSettings
from services.runtime.consuming import Consumption, Window
from services.runtime.kafka import Publisher, Record, consumer, publisher
from services.runtime.lifecycle import run_service
from services.runtime.logs import Logger, configure_logs
from services.runtime.monitoring import monitoring
from services.runtime.settings import read_settings
from services.runtime.topic_admin import require

GROUP: Final = "huestream-classifier"
LINGER_MS: Final = 20
"""Results that end within this time of each other are written together."""
_COLLECT_EVERY: Final = 20_000


class Classifier:
    """Takes one record of `images.submitted` and writes its one result."""

    def __init__(
        self,
        settings: ClassifierSettings,
        images: Fetcher,
        results: Publisher,
        decoding: Decoders,
        log: Logger,
    ) -> None:
        self._settings = settings
        self._memory = Memory(settings.memory_bytes)
        self._images = images
        self._results = results
        self._decoding = decoding
        self._log = log

    async def process(self, record: Record) -> None:
        """Classify the record's image and write the result; what is no image of ours goes to the dead letters."""
        try:
            image = ImageSubmitted.decode(record.value)
        except UndecodableError as error:
            metrics.DEAD_LETTERS.inc()
            self._log.warning("dead_letter", topic=record.topic, offset=record.offset, reason=str(error))
            await self._results.dead_letter(record, "classifier", str(error))
            return
        with metrics.IN_FLIGHT.track_inprogress():
            await self._classify(image)

    async def _classify(self, image: ImageSubmitted) -> None:
        began = time.monotonic()
        log = self._log.bind(inference_id=image.inference_id, index=image.index)
        try:
            with self._memory.lease(image.inference_id) as lease:
                result = await classify(image, partial(self._fetch, lease, _ends_at(image)), self._analyze, _now)
        except NurseryError:  # no image can be decoded: another process may fare better
            raise
        except Exception:  # ours, but one image must not stop the stream: a result, counted and logged
            log.exception("classification_failed")
            result = result_of(image, ItemError(code="internal", message="The image could not be analyzed"), _now())
        await self._results.publish(IMAGES_CLASSIFIED, [result])
        outcome = result.error.code if result.error else "succeeded"
        metrics.IMAGES.labels(outcome).inc()
        log.info("image_classified", outcome=outcome, seconds=round(time.monotonic() - began, 4))

    async def _fetch(self, lease: Lease, ends_at: float, url: str) -> bytes:
        with metrics.FETCH_SECONDS.time():
            return await self._images.fetch(url, lease, ends_at)

    async def _analyze(self, image: ImageSubmitted, content: bytes) -> Classification:
        with metrics.ANALYZE_SECONDS.time():
            return await self._decoding.analyze(image, content, image.inference_id)


def _now() -> datetime:
    return datetime.now(UTC)


def _owner(record: Record) -> str:
    """Name whose image a record is, for fairness alone: the key is `inference_id/index`, or a stranger's."""
    return (record.key or b"").partition(b"/")[0][:36].decode("latin-1")


def _ends_at(image: ImageSubmitted) -> float:
    """When the image's batch ends, in the loop's clock."""
    if image.deadline_at is None:
        return math.inf
    return asyncio.get_running_loop().time() + (image.deadline_at - _now()).total_seconds()


def _collect_garbage_seldom() -> None:
    """Leave what lives as long as the process out of the search for garbage, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)


async def main(stopping: asyncio.Event) -> None:
    """Run one classifier until `stopping` is set."""
    settings = read_settings(ClassifierSettings)
    log = configure_logs("classifier", settings.log_level)
    servers, patience = settings.bootstrap_servers, settings.start_timeout_seconds
    await require(servers, [IMAGES_SUBMITTED, IMAGES_CLASSIFIED, DEAD_LETTERS], patience)
    async with (
        decoders(settings) as decoding,
        fetcher(settings) as images,
        publisher(servers, settings.publish_timeout_seconds, patience, LINGER_MS) as results,
        consumer(servers, patience, GROUP, settings.group_instance_id) as taken,
    ):
        classifier = Classifier(settings, images, results, decoding, log)
        consumption = Consumption(
            taken,
            classifier.process,
            log,
            owner=_owner,
            window=Window(settings.in_flight, settings.window_records, settings.window_records_per_partition),
            drain_seconds=settings.drain_timeout_seconds,
        )
        async with monitoring(
            settings.metrics_host, settings.metrics_port, ready=consumption.trouble, alive=consumption.stalled
        ) as url:
            _collect_garbage_seldom()
            log.info("started", metrics=url)
            await consumption.run(IMAGES_SUBMITTED, stopping)
    log.info("stopped")


def run() -> int:
    """Run the classifier as a process; returns the exit status."""
    return run_service(main)
