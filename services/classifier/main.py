"""Wires the classifier: Kafka, fetcher, decoder, analysis, Kafka."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from schemas.classification import Classification
from schemas.events import ImageFields, ImageSubmitted, ItemError, UndecodableError
from schemas.topics import GROUPS, IMAGES_CLASSIFIED, IMAGES_SUBMITTED, topics_of
from services.classifier import metrics
from services.classifier.classifying import analyze_bytes, classify, result_of
from services.classifier.fetching import Fetcher, fetcher
from services.classifier.settings import ClassifierSettings
from services.runtime.consuming import Consumption
from services.runtime.kafka import Publisher, Record, consumer, publisher
from services.runtime.lifecycle import run_service
from services.runtime.logs import Logger, configure_logs
from services.runtime.monitoring import monitoring
from services.runtime.settings import read_settings
from services.runtime.topic_admin import require

GROUP = GROUPS["classifier"]


class Classifier:
    """Takes one record of `images.submitted` and writes its one result."""

    def __init__(
        self,
        settings: ClassifierSettings,
        images: Fetcher,
        results: Publisher,
        threads: ThreadPoolExecutor,
        log: Logger,
    ) -> None:
        self._settings = settings
        self._images = images
        self._results = results
        self._threads = threads
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
            result = await classify(image, self._fetch, self._analyze, _now)
        except Exception:  # ours, but one image must not stop the stream: a result, counted and logged
            log.exception("classification_failed")
            result = result_of(image, ItemError(code="internal", message="The image could not be analyzed"), _now())
        await self._results.publish(IMAGES_CLASSIFIED, [result])
        outcome = result.error.code if result.error else "succeeded"
        metrics.IMAGES.labels(outcome).inc()
        log.info("image_classified", outcome=outcome, seconds=round(time.monotonic() - began, 4))

    async def _fetch(self, url: str) -> bytes:
        with metrics.FETCH_SECONDS.time():
            return await self._images.fetch(url)

    async def _analyze(self, image: ImageFields, content: bytes) -> Classification:
        with metrics.ANALYZE_SECONDS.time():
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, analyze_bytes, image, content, self._settings.max_image_pixels
            )


def _now() -> datetime:
    return datetime.now(UTC)


async def main(stopping: asyncio.Event) -> None:
    """Run one classifier until `stopping` is set."""
    settings = read_settings(ClassifierSettings)
    log = configure_logs("classifier", settings.log_level)
    servers, patience = settings.cluster, settings.start_timeout_seconds
    await require(servers, topics_of("classifier"), patience, settings.topic_replicas)
    with ThreadPoolExecutor(settings.decode_threads, "decode") as threads:
        async with (
            fetcher(settings) as images,
            publisher(servers, settings.publish_timeout_seconds, patience) as results,
            consumer(servers, patience, GROUP) as taken,
        ):
            classifier = Classifier(settings, images, results, threads, log)
            consumption = Consumption(
                taken,
                classifier.process,
                log,
                in_flight=settings.in_flight,
                drain_seconds=settings.drain_timeout_seconds,
            )
            async with monitoring(settings.metrics_host, settings.metrics_port, ready=consumption.trouble) as url:
                log.info("started", metrics=url)
                await consumption.run(IMAGES_SUBMITTED, stopping)
    log.info("stopped")


def run() -> int:
    """Run the classifier as a process; returns the exit status."""
    return run_service(main)
