"""Wires the HTTP endpoint: keys, what is known of inferences, the accept protocol, the server."""

import asyncio
import time
from datetime import UTC, datetime
from functools import partial

from schemas.events import BatchSubmitted, Event
from schemas.topics import (
    API_KEYS,
    BATCHES_SUBMITTED,
    CANCELLATIONS_REQUESTED,
    GATHERING_GROUP,
    IMAGES_CLASSIFIED,
    IMAGES_SUBMITTED,
    INFERENCES_STATUS,
    PRODUCTS_SUBMITTED,
    WEBHOOKS_STATUS,
    topics_of,
)
from services.ingest import metrics
from services.ingest.accepting import Acceptance
from services.ingest.app import Endpoint
from services.ingest.canceling import Cancellation
from services.ingest.door import Door
from services.ingest.events import Events
from services.ingest.gathering import Gathering, Outlet
from services.ingest.inferences import Inference, Inferences
from services.ingest.pages.docs import Docs
from services.ingest.pages.viewing import Links, Viewing
from services.ingest.rate_limits import Limits
from services.ingest.reading import Reading
from services.ingest.results import Results
from services.ingest.server import serving
from services.ingest.settings import IngestSettings
from services.ingest.submitting import Submitting
from services.ingest.watching import Watchers
from services.runtime.api_keys import KeyRing
from services.runtime.build import describe_build
from services.runtime.following import Follower
from services.runtime.garbage import collect_garbage_in_calm, collect_garbage_rarely
from services.runtime.group_lag import GroupWatch, watch_groups
from services.runtime.group_turns import GroupTurns
from services.runtime.kafka import Publisher, Record, consumer, publisher
from services.runtime.key_sources import KeyFile
from services.runtime.lifecycle import beside, run_service
from services.runtime.logs import Logger, configure_logs
from services.runtime.loops import Stints
from services.runtime.monitoring import Health, monitoring
from services.runtime.object_store import object_folder
from services.runtime.scanning import records_of
from services.runtime.settings import SettingsError, read_settings
from services.runtime.tailing import Tail
from services.runtime.topic_admin import admin_client, require
from services.runtime.tracing import Tracer, tracing

_TIDY_SECONDS = 600.0
_BATCHES_MS = 40
_REST_MS = 150


class Replica:
    """What one process knows, folded from the log."""

    def __init__(self, settings: IngestSettings, log: Logger) -> None:
        self.settings = settings
        self.keys = KeyRing()
        self.key_file = KeyFile(settings.api_keys_file, self.keys, log) if settings.api_keys_file else None
        self.watchers = Watchers()
        self.inferences = Inferences(self.watchers.changed)
        self.limits = Limits(
            requests=settings.requests_per_minute,
            images=settings.images_per_minute,
            reads=settings.reads_per_minute,
            failures=settings.failures_per_minute,
            find_key=self.keys.get,
        )
        self.gathering: GroupTurns | None = None
        self.folds = {
            CANCELLATIONS_REQUESTED: self.inferences.fold_cancellation,
            INFERENCES_STATUS: self.inferences.fold_status,
            WEBHOOKS_STATUS: self.inferences.fold_webhook,
        }
        if self.key_file is None:
            self.folds[API_KEYS] = self.keys.fold

    def read_keys(self) -> None:
        """Read the keys' file where there is one; raises `KeyFileError`."""
        if self.key_file:
            self.key_file.load()

    async def follow_keys(self) -> None:
        """Follow the keys' file; keys in the topic are followed with the rest of the log."""
        if self.key_file:
            await self.key_file.follow()

    def fold_batch(self, record: Record, event: Event) -> None:
        """Know one more batch, and what it costs its key."""
        if self.inferences.fold_batch(record, event) and isinstance(event, BatchSubmitted):
            self.limits.fold(event, time.time())
            metrics.INFERENCES.set(len(self.inferences))

    async def gather(self, out: Publisher, batches: Follower, log: Logger, tracer: Tracer) -> None:
        """Make batches of single products, unless another deployment is to do it."""
        settings = self.settings
        if not settings.gather_products:
            return
        outlet = Outlet(out, self.inferences, self.keys, log, settings.deadline_seconds, tracer)
        work = Gathering(outlet, batches, settings.gather_window_seconds, settings.publish_timeout_seconds)
        async with consumer(settings.cluster, settings.start_timeout_seconds, GATHERING_GROUP) as products:
            self.gathering = GroupTurns(products, PRODUCTS_SUBMITTED, work.begin, work.turn, log)
            await self.gathering.run()

    async def tidy(self) -> None:
        """Forget what nobody will ask for any more, now and then."""
        stints = Stints()
        while True:
            await stints.do(self.inferences.forget_old(datetime.now(UTC)))
            metrics.INFERENCES.set(len(self.inferences))
            await asyncio.sleep(_TIDY_SECONDS)

    def endpoint(self, out: Publisher, acceptance: Acceptance, tail: Tail, log: Logger, tracer: Tracer) -> Endpoint:
        """Put the handlers together."""
        settings = self.settings
        door = Door(self.keys, self.limits)
        results = Results(object_folder(settings.report_store), partial(_read_log, settings))
        links = Links(settings.link_secret, settings.link_days)
        submitting = Submitting(
            door=door,
            links=links,
            acceptance=acceptance,
            inferences=self.inferences,
            watchers=self.watchers,
            results=results,
            deadline_seconds=settings.deadline_seconds,
            body_timeout_seconds=settings.body_timeout_seconds,
            image_buckets=settings.image_buckets,
        )
        reading = Reading(door, self.inferences, results)
        events = Events(
            door=door,
            reading=reading,
            results=results,
            watchers=self.watchers,
            tail=tail,
            max_streams=settings.max_event_streams,
            heartbeat_seconds=settings.heartbeat_seconds,
        )
        cancellation = Cancellation(door, reading, self.inferences, out)
        viewing = Viewing(links, door, self.inferences, results, events)
        docs = Docs(
            public_url=settings.public_url,
            requests_per_minute=settings.requests_per_minute,
            images_per_minute=settings.images_per_minute,
            reads_per_minute=settings.reads_per_minute,
            link_days=settings.link_days,
            reads_buckets=bool(settings.image_buckets),
        )
        return Endpoint(door, submitting, reading, events, cancellation, viewing, docs, log, tracer)


async def _read_log(settings: IngestSettings, inference: Inference) -> list[Record]:
    return await records_of(
        settings.cluster,
        IMAGES_CLASSIFIED,
        inference.inference_id,
        inference.created_at,
        settings.results_timeout_seconds,
    )


async def main(stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set."""
    settings = read_settings(IngestSettings)
    log = configure_logs("ingest", settings.log_level)
    replica, health = Replica(settings, log), Health()
    replica.read_keys()
    describe_build("ingest", settings)
    with tracing("ingest", settings, log) as tracer:
        async with monitoring(settings.metrics_host, settings.metrics_port, health):
            await _run(replica, health, tracer, log, stopping)
    log.info("stopped")


async def _run(replica: Replica, health: Health, tracer: Tracer, log: Logger, stopping: asyncio.Event) -> None:
    """Know what the log says, then serve."""
    settings = replica.settings
    servers, patience = settings.cluster, settings.start_timeout_seconds
    await require(servers, topics_of("ingest"), patience, settings.least_replicas)
    async with (
        # Batch records do not linger: those of images that were sent together go together anyway.
        publisher(servers, settings.publish_timeout_seconds, patience, linger_ms=0, compressed=True) as out,
        consumer(servers, patience) as batches_in,
        consumer(servers, patience) as log_in,
        consumer(servers, patience) as results_in,
        admin_client(servers) as admin,
    ):
        tail = Tail(results_in, IMAGES_CLASSIFIED)
        batches = Follower(batches_in, {BATCHES_SUBMITTED: replica.fold_batch}, log, _BATCHES_MS)
        follower = Follower(log_in, replica.folds, log, _REST_MS)
        await out.prepare([IMAGES_SUBMITTED, BATCHES_SUBMITTED, CANCELLATIONS_REQUESTED])
        await follower.catch_up(patience)
        await batches.catch_up(patience)
        _refuse_local_key(settings, replica.keys)
        collect_garbage_rarely()
        # The log is followed until the last request has ended: it waits for its batch record.
        pause = settings.group_lag_seconds
        groups = metrics.WATCHED | (metrics.WATCHED_WHERE_GATHERED if settings.gather_products else {})
        watching = watch_groups(GroupWatch(admin, results_in), groups, metrics.measure_group, log, pause)
        async with beside(
            batches.follow(),
            follower.follow(),
            tail.follow(),
            replica.tidy(),
            replica.follow_keys(),
            replica.gather(out, batches, log, tracer),
            watching,
            collect_garbage_in_calm(),
        ):
            limits, seconds = replica.limits, settings.publish_timeout_seconds
            acceptance = Acceptance(out, batches, replica.inferences, limits, seconds, tracer)
            async with serving(replica.endpoint(out, acceptance, tail, log, tracer).app(), settings) as url:
                health.started(
                    ready=lambda: _trouble(acceptance, stopping),
                    alive=lambda: _standstill(batches, follower, replica.gathering),
                )
                log.info("listening", url=url, metrics=health.url)
                await stopping.wait()


def _refuse_local_key(settings: IngestSettings, keys: KeyRing) -> None:
    """Raise `SettingsError` in production for the key of `huestream local`, which lies in a file on some machine."""
    if settings.environment == "production" and (key := keys.local()):
        raise SettingsError(
            f"HUESTREAM_ENVIRONMENT is production, which does not accept {key.key_id}, a key of huestream local; "
            f"revoke it with: huestream keys revoke {key.key_id}"
        )


def _trouble(acceptance: Acceptance, stopping: asyncio.Event) -> str | None:
    """Say why requests are better sent elsewhere, or None: what readiness asks."""
    return "stopping" if stopping.is_set() else acceptance.trouble()


def _standstill(batches: Follower, rest: Follower, gathering: GroupTurns | None) -> str | None:
    """Say what is not read any more, or None: what liveness asks."""
    return batches.trouble() or rest.trouble() or (gathering.trouble() if gathering else None)


def run() -> int:
    """Run the endpoint as a process; returns the exit status."""
    return run_service(main)
