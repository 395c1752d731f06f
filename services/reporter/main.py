"""Wires the reporter: Kafka, keys, tables, store, mail."""

import asyncio
from datetime import UTC, datetime

from schemas.events import InferenceStatus
from schemas.topics import API_KEYS, INFERENCES_STATUS, topics_of
from services.reporter.collecting import Collector
from services.reporter.delivering import Delivery
from services.reporter.settings import ReporterSettings
from services.reporter.stream import Running, connect, emitter, faust_app
from services.runtime.api_keys import KeyRing
from services.runtime.following import Follower
from services.runtime.kafka import KafkaUnavailableError, Publisher, consumer, publisher
from services.runtime.lifecycle import run_service, until_stopped
from services.runtime.logs import Logger, configure_logs
from services.runtime.monitoring import monitoring
from services.runtime.object_store import object_folder
from services.runtime.settings import read_settings
from services.runtime.topic_admin import require

_STATUS_SECONDS = 1.0


async def main(stopping: asyncio.Event) -> None:
    """Run one reporter until `stopping` is set."""
    settings = read_settings(ReporterSettings)
    log = configure_logs("reporter", settings.log_level)
    servers, patience = settings.cluster, settings.start_timeout_seconds
    await require(servers, topics_of("reporter"), patience, settings.topic_replicas)
    keys = KeyRing()
    stream = faust_app(settings)
    async with (
        publisher(servers, settings.publish_timeout_seconds, patience) as out,
        consumer(servers, patience) as key_log,
    ):
        follower = Follower(key_log, {API_KEYS: keys.fold}, log)
        await follower.catch_up(patience)

        async def tell(status: InferenceStatus) -> None:
            await out.publish(INFERENCES_STATUS, [status])

        collector = Collector(stream.gathering, emitter(stream), log)
        delivery = Delivery(settings, stream.gathering, object_folder(settings.report_store), keys.get, tell, log)
        connect(stream, collector, delivery, out, log)
        running = Running(stream, settings.drain_timeout_seconds)
        async with running, monitoring(settings.metrics_host, settings.metrics_port, ready=running.trouble) as url:
            log.info("started", metrics=url)
            await until_stopped(
                stopping, follower.follow(), _tell_changes(collector, out, log), running.until_crashed()
            )
    log.info("stopped")


async def _tell_changes(collector: Collector, out: Publisher, log: Logger) -> None:
    """Tell the status of each open batch that changed, at most once a second."""
    while True:
        await asyncio.sleep(_STATUS_SECONDS)
        statuses = list(collector.changed_statuses(datetime.now(UTC)))
        try:
            await out.publish(INFERENCES_STATUS, statuses)
        except KafkaUnavailableError:
            log.warning("statuses_not_told", count=len(statuses))


def run() -> int:
    """Run the reporter as a process; returns the exit status."""
    return run_service(main)
