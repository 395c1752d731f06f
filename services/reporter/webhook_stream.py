"""The webhooks' consumer group, and what it needs of Kafka."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from schemas.events import ApiKey, WebhookStatus
from schemas.topics import INFERENCES_STATUS, WEBHOOKS_GROUP, WEBHOOKS_STATUS
from services.reporter.posting import poster
from services.reporter.settings import ReporterSettings
from services.reporter.webhooks import Tried, Webhooks, World, owner_of
from services.runtime.consuming import Consumption, Source, Window
from services.runtime.following import Follower
from services.runtime.kafka import LONG_WAIT_MS, KafkaUnavailableError, Publisher, consumer
from services.runtime.lifecycle import beside
from services.runtime.logs import Logger

GROUP: Final = WEBHOOKS_GROUP
_WINDOW: Final = Window(at_once=2_000, records=4_000, records_per_partition=1_000)
"""A webhook that waits for its next attempt holds a place."""
_DRAIN_SECONDS: Final = 0.5
"""What waits for its next attempt is read again after a restart; what is on its way may then arrive twice."""


async def send_webhooks(
    settings: ReporterSettings,
    find_key: Callable[[str], ApiKey | None],
    out: Publisher,
    log: Logger,
    stopping: asyncio.Event,
) -> None:
    """Send webhooks until canceled; where no secret is set, there are none."""
    if settings.webhook_secret is None:
        await stopping.wait()
        return

    async def tell(event: WebhookStatus) -> None:
        try:
            await out.publish(WEBHOOKS_STATUS, [event])
        except KafkaUnavailableError:
            log.warning("webhook_status_not_told", inference_id=event.inference_id, state=event.state)

    servers, patience = settings.cluster, settings.start_timeout_seconds
    async with (
        poster(settings) as posts,
        consumer(servers, patience, GROUP, max_wait_ms=LONG_WAIT_MS) as statuses,
        consumer(servers, patience, max_wait_ms=LONG_WAIT_MS) as tried_log,
    ):
        tried = Tried()
        follower = Follower(tried_log, {WEBHOOKS_STATUS: tried.fold}, log)
        await follower.catch_up(patience)
        webhooks = Webhooks(settings, tried, World(find_key, posts.post, tell, _now), log)
        consumption = Consumption(
            statuses,
            webhooks.process,
            log,
            source=Source(INFERENCES_STATUS, GROUP, owner_of),
            window=_WINDOW,
            drain_seconds=_DRAIN_SECONDS,
        )
        async with beside(follower.follow()):
            await consumption.run(stopping)


def _now() -> datetime:
    return datetime.now(UTC)
