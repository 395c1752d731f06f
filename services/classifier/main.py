"""Wires the classifier: Kafka, fetcher, decoder, analysis, Kafka."""

import asyncio
import gc
import time
from contextlib import AsyncExitStack
from typing import Final

from schemas.topics import CANCELLATIONS_REQUESTED, CLASSIFIER_GROUP, IMAGES_SUBMITTED, topics_of
from services.classifier import metrics
from services.classifier.bucket_images import bucket_images
from services.classifier.cancellations import Cancellations
from services.classifier.decoder_usage import measure_decoders
from services.classifier.decoders import decoders
from services.classifier.fetching import fetcher
from services.classifier.memory import Memory
from services.classifier.processing import Classifier
from services.classifier.repeats import Repeats
from services.classifier.settings import ClassifierSettings
from services.runtime.build import describe_build
from services.runtime.consuming import Consumption, Source, Window
from services.runtime.following import Follower
from services.runtime.kafka import LONG_WAIT_MS, Record, consumer, publisher
from services.runtime.lifecycle import beside, run_service
from services.runtime.logs import Logger, configure_logs
from services.runtime.monitoring import Health, monitoring
from services.runtime.settings import read_settings
from services.runtime.topic_admin import require
from services.runtime.tracing import tracing

GROUP: Final = CLASSIFIER_GROUP
LINGER_MS: Final = 20
"""Results that end within this time of each other are written together: each request has a price of its own."""
_COLLECT_EVERY: Final = 20_000


async def main(stopping: asyncio.Event) -> None:
    """Run one classifier until `stopping` is set."""
    settings = read_settings(ClassifierSettings)
    log = configure_logs("classifier", settings.log_level)
    health = Health()
    describe_build("classifier", settings)
    async with monitoring(settings.metrics_host, settings.metrics_port, health), AsyncExitStack() as stack:
        consumption = await _consumption(stack, settings, log)
        health.started(ready=consumption.trouble, alive=consumption.stalled)
        _collect_garbage_seldom()
        log.info("started", metrics=health.url)
        await consumption.run(stopping)
    log.info("stopped")


async def _consumption(stack: AsyncExitStack, settings: ClassifierSettings, log: Logger) -> Consumption:
    """Open all that a classifier needs, to be closed in the reverse order."""
    servers, patience = settings.cluster, settings.start_timeout_seconds
    await require(servers, topics_of("classifier"), patience, settings.least_replicas)
    decoding = await stack.enter_async_context(decoders(settings))
    await stack.enter_async_context(beside(measure_decoders(lambda: decoding.nursery_id)))
    fetching = await stack.enter_async_context(fetcher(settings, buckets=await bucket_images(settings, log)))
    results = await stack.enter_async_context(publisher(servers, settings.publish_timeout_seconds, patience, LINGER_MS))
    memory = Memory(settings.memory_bytes)
    metrics.IMAGE_MEMORY_BYTES.set_function(lambda: settings.memory_bytes - memory.free_bytes)
    classifier = Classifier(
        memory,
        Repeats(fetching, settings.repeats_bytes, time.monotonic),
        results,
        decoding,
        await _cancellations(stack, settings, log),
        log,
        stack.enter_context(tracing("classifier", settings, log)),
    )
    return Consumption(
        await stack.enter_async_context(
            consumer(servers, patience, GROUP, settings.group_instance_id, max_wait_ms=LONG_WAIT_MS)
        ),
        classifier.process,
        log,
        source=Source(IMAGES_SUBMITTED, GROUP, _owner),
        window=Window(settings.in_flight, settings.window_records, settings.window_records_per_partition),
        drain_seconds=settings.drain_timeout_seconds,
    )


async def _cancellations(stack: AsyncExitStack, settings: ClassifierSettings, log: Logger) -> Cancellations:
    """Know all cancellations, and go on reading them."""
    canceled, patience = Cancellations(), settings.start_timeout_seconds
    source = await stack.enter_async_context(consumer(settings.cluster, patience, max_wait_ms=LONG_WAIT_MS))
    follower = Follower(source, {CANCELLATIONS_REQUESTED: canceled.fold}, log)
    await follower.catch_up(patience)
    await stack.enter_async_context(beside(follower.follow()))
    return canceled


def _owner(record: Record) -> str:
    """Name whose image a record is, for fairness alone: the key is `inference_id/index`, or a stranger's."""
    return (record.key or b"").partition(b"/")[0][:36].decode("latin-1")


def _collect_garbage_seldom() -> None:
    """Leave what lives as long as the process out of the search for garbage, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)


def run() -> int:
    """Run the classifier as a process; returns the exit status."""
    return run_service(main)
