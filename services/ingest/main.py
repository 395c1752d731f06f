"""Wires the HTTP endpoint: keys, what is known of inferences, the accept protocol, the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from schemas.events import BatchSubmitted
from schemas.topics import API_KEYS, BATCHES_SUBMITTED, IMAGES_CLASSIFIED, IMAGES_SUBMITTED, INFERENCES_STATUS
from services.ingest.accepting import Acceptance
from services.ingest.app import Endpoint
from services.ingest.inferences import Inferences
from services.ingest.settings import IngestSettings
from services.runtime.api_keys import KeyRing
from services.runtime.following import Follower
from services.runtime.kafka import Record, consumer, publisher
from services.runtime.lifecycle import run_service, until_stopped
from services.runtime.logs import configure_logs
from services.runtime.monitoring import monitoring
from services.runtime.object_store import object_folder
from services.runtime.scanning import records_of
from services.runtime.settings import read_settings
from services.runtime.topic_admin import require

_SCAN_SECONDS = 15.0


async def main(stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set."""
    settings = read_settings(IngestSettings)
    log = configure_logs("ingest", settings.log_level)
    servers, patience = settings.bootstrap_servers, settings.start_timeout_seconds
    await require(servers, [IMAGES_SUBMITTED, BATCHES_SUBMITTED, INFERENCES_STATUS, API_KEYS], patience)
    keys, inferences = KeyRing(), Inferences()
    folds = {
        API_KEYS: keys.fold,
        BATCHES_SUBMITTED: inferences.fold_batch,
        INFERENCES_STATUS: inferences.fold_status,
    }
    async with (
        publisher(servers, settings.publish_timeout_seconds, patience) as out,
        consumer(servers, patience) as log_in,
    ):
        follower = Follower(log_in, folds, log)
        await follower.catch_up(patience)
        acceptance = Acceptance(out, follower, inferences, settings.publish_timeout_seconds)
        endpoint = Endpoint(
            keys=keys,
            inferences=inferences,
            acceptance=acceptance,
            store=object_folder(settings.report_store),
            read_log=partial(_results_so_far, servers),
            deadline_seconds=settings.deadline_seconds,
            body_timeout_seconds=settings.body_timeout_seconds,
            log=log,
        )
        async with (
            _server(endpoint.app(), settings) as url,
            monitoring(
                settings.metrics_host, settings.metrics_port, ready=partial(_trouble, acceptance)
            ) as metrics_url,
        ):
            log.info("listening", url=url, metrics=metrics_url)
            await until_stopped(stopping, follower.follow())
    log.info("stopped")


async def _results_so_far(servers: str, batch: BatchSubmitted) -> list[Record]:
    return await records_of(servers, IMAGES_CLASSIFIED, batch.inference_id, batch.submitted_at, _SCAN_SECONDS)


def _trouble(acceptance: Acceptance) -> str | None:
    return None if acceptance.available else "Kafka did not acknowledge the last batch"


@asynccontextmanager
async def _server(app: web.Application, settings: IngestSettings) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.drain_timeout_seconds)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        yield f"http://{settings.host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def run() -> int:
    """Run the endpoint as a process; returns the exit status."""
    return run_service(main)
