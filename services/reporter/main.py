"""Wires the reporter: Kafka, keys, tables, store, mail."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from schemas.topics import REPORTER_APP, topics_of
from services.reporter.agents import Handlers, connect
from services.reporter.clock import steady_clock
from services.reporter.collecting import Collector, Surroundings
from services.reporter.delivering import Delivery, Doors
from services.reporter.failpoints import failpoint
from services.reporter.mailer import Mailer, look_at_the_server
from services.reporter.owning import own_folder
from services.reporter.purging import Purge, purge_now_and_then
from services.reporter.settings import ReporterSettings, limits_of
from services.reporter.stream import Running, Stream, emitter, faust_app
from services.reporter.telling import Teller
from services.reporter.watching import measure_lag, watch
from services.reporter.webhook_stream import send_webhooks
from services.runtime.api_keys import KeyRing
from services.runtime.build import describe_build
from services.runtime.kafka import Publisher, consumer, publisher
from services.runtime.key_sources import known_keys
from services.runtime.lifecycle import run_service, until_stopped
from services.runtime.logs import Logger, configure_logs
from services.runtime.monitoring import Health, monitoring
from services.runtime.object_store import object_folder
from services.runtime.scanning import ends_of, fold_all, has_records
from services.runtime.settings import read_settings
from services.runtime.topic_admin import require
from services.runtime.tracing import Tracer, tracing

_ENDS_SECONDS = 15.0


@dataclass(frozen=True)
class _Parts:
    stream: Stream
    collector: Collector
    teller: Teller
    purge: Purge
    end_work: Callable[[], Awaitable[None]]


async def main(stopping: asyncio.Event) -> None:
    """Run one reporter until `stopping` is set."""
    settings = read_settings(ReporterSettings)
    log = configure_logs("reporter", settings.log_level)
    health = Health()
    describe_build("reporter", settings)
    with own_folder(settings), tracing("reporter", settings, log) as tracer:
        async with monitoring(settings.metrics_host, settings.metrics_port, health):
            await _report(settings, health, tracer, log, stopping)
    log.info("stopped")


async def _report(
    settings: ReporterSettings, health: Health, tracer: Tracer, log: Logger, stopping: asyncio.Event
) -> None:
    servers, patience = settings.cluster, settings.start_timeout_seconds
    await require(servers, topics_of("reporter"), patience, settings.least_replicas)
    keys = KeyRing()
    async with (
        publisher(servers, settings.publish_timeout_seconds, patience) as out,
        known_keys(settings.api_keys_file, keys, servers, patience, log) as follow_keys,
        consumer(servers, patience) as asking,
        aclosing(Mailer(settings, failpoint(settings.failpoint))) as mailer,
    ):
        parts = _wired(settings, out, keys, mailer, log, tracer)
        running, find_ends = Running(parts.stream, parts.end_work, settings), partial(ends_of, asking, _ENDS_SECONDS)
        async with running:
            health.started(ready=running.trouble, alive=parts.stream.stalled)
            log.info("started", metrics=health.url)
            await until_stopped(
                stopping,
                follow_keys(),
                running.until_crashed(),
                parts.teller.tell_changes(parts.collector),
                watch(parts.stream, find_ends, settings.watchdog_seconds, log),
                measure_lag(parts.stream, find_ends),
                purge_now_and_then(parts.purge, running.trouble),
                look_at_the_server(mailer, log),
                send_webhooks(settings, keys.get, out, log, stopping),
            )


def _wired(
    settings: ReporterSettings, out: Publisher, keys: KeyRing, mailer: Mailer, log: Logger, tracer: Tracer
) -> _Parts:
    clock, reach = steady_clock(), failpoint(settings.failpoint)
    stream, store = faust_app(settings), object_folder(settings.report_store)
    teller = Teller(out, clock, log)
    around = Surroundings(emitter(stream), stream.caught_up, lambda: mailer.availability.room, stream.settle, reach)
    collector = Collector(stream.gathering, around, log, limits_of(settings))
    doors = Doors(store, mailer, keys.get, teller.tell, stream.settle, clock, reach, tracer)
    delivery = Delivery(settings, stream.gathering, doors, log)
    servers = settings.cluster
    finds = partial(has_records, servers, REPORTER_APP, settings.start_timeout_seconds)
    end_work = connect(stream, Handlers(collector, delivery, out, log, clock, finds, tracer), settings.mails_at_once)
    purge = Purge(store, partial(fold_all, servers), stream.numbers, teller.forget, clock, log)
    return _Parts(stream, collector, teller, purge, end_work)


def run() -> int:
    """Run the reporter as a process; returns the exit status."""
    return run_service(main)
