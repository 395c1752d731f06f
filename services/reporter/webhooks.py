"""Telling customers' servers that a batch is finished, beside the mail.

Read are the statuses that the reporter itself writes. A record is done when its webhook was taken or given up: until
then its offset is not committed, so that whoever takes the partition over goes on. What was tried before is known from
the topic of webhooks' statuses, which all reporters fold; none is sent again after it was taken.
"""

import asyncio
import random
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.events import ApiKey, Event, InferenceStatus, UndecodableError, WebhookState, WebhookStatus
from services.reporter import metrics
from services.reporter.links import view_link
from services.reporter.posting import Posted
from services.reporter.settings import ReporterSettings
from services.reporter.webhook_message import webhook_body, webhook_headers, webhook_id
from services.runtime.kafka import Record
from services.runtime.logs import Logger
from services.runtime.webhook_secrets import webhook_secret

_LONGEST_PAUSE: Final = timedelta(hours=1)
_KEY_ID: Final = re.compile(rb'"key_id":"([A-Za-z0-9_-]{1,64})"')
_LOOKS_FOR_KEY: Final = 15
_LOOK_SECONDS: Final = 2.0
_REMEMBERED: Final = 100_000

Post = Callable[[str, bytes, dict[str, str]], Awaitable[Posted]]
Tell = Callable[[WebhookStatus], Awaitable[None]]


class Tried:
    """What became of the newest webhooks, by inference."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, WebhookStatus] = OrderedDict()

    def fold(self, _: Record, event: Event) -> None:
        """Take over one record of the webhooks' topic."""
        if isinstance(event, WebhookStatus):
            self._known[event.inference_id] = event
            self._known.move_to_end(event.inference_id)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def get(self, inference_id: str) -> WebhookStatus | None:
        """Find what is known of one."""
        return self._known.get(inference_id)


@dataclass(frozen=True)
class World:
    """What the webhooks reach of the world around them."""

    find_key: Callable[[str], ApiKey | None]
    post: Post
    tell: Tell
    now: Callable[[], datetime]
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class Webhooks:
    """Sends the webhook of each finished batch whose key has one."""

    def __init__(self, settings: ReporterSettings, tried: Tried, world: World, log: Logger) -> None:
        self._settings = settings
        self._tried = tried
        self._world = world
        self._log = log
        self._in_hand: set[str] = set()

    async def process(self, record: Record) -> None:
        """Take one record of the statuses; returns when there is no more to do for it."""
        status = _finished(record)
        if status is None or status.inference_id in self._in_hand or not self._is_due(status):
            return
        self._in_hand.add(status.inference_id)
        try:
            await self._send(status)
        finally:
            self._in_hand.discard(status.inference_id)

    def _is_due(self, status: InferenceStatus) -> bool:
        before = self._tried.get(status.inference_id)
        is_open = before is None or before.state == "retrying"
        return (
            self._settings.webhook_secret is not None and is_open and (before is not None or not self._is_old(status))
        )

    def _is_old(self, status: InferenceStatus) -> bool:
        finished_at = status.finished_at or status.updated_at
        return (self._world.now() - finished_at).total_seconds() > self._settings.webhook_give_up_seconds

    async def _send(self, status: InferenceStatus) -> None:
        before = self._tried.get(status.inference_id)
        attempts = before.attempts if before else 0
        if before is not None and before.next_attempt_at is not None:
            await self._world.pause(max(0.0, (before.next_attempt_at - self._world.now()).total_seconds()))
        while True:
            url = await self._address(status)
            if url is None:  # none was wished for, or it was taken back
                return
            posted = await self._post(status, url)
            attempts += 1
            state, pause = self._judged(status, posted, attempts)
            metrics.WEBHOOKS.labels(state).inc()
            await self._told(status, posted, state, attempts, pause)
            if state != "retrying":
                return
            await self._world.pause(pause.total_seconds())

    async def _address(self, status: InferenceStatus) -> str | None:
        """Find where the key's webhook goes; a key may be read later than the batch that was accepted with it."""
        for _ in range(_LOOKS_FOR_KEY):
            if (key := self._world.find_key(status.key_id)) is not None:
                break
            await self._world.pause(_LOOK_SECONDS)
        if key is None or key.revoked_at is not None:
            return None
        return status.webhook_url or key.webhook_url

    async def _post(self, status: InferenceStatus, url: str) -> Posted:
        told, finished_at = self._settings, status.finished_at or status.updated_at
        if told.webhook_secret is None:
            return Posted("refused")
        public = told.public_url.rstrip("/") if told.public_url else None
        results = f"{public}/inference/{status.inference_id}/results" if public else None
        view = view_link(status.inference_id, finished_at, public, told.link_secret, told.retention_days)
        body, message_id = webhook_body(status, results, view), webhook_id(status.inference_id)
        secret = webhook_secret(told.webhook_secret, status.key_id)
        return await self._world.post(url, body, webhook_headers(secret, message_id, body, self._world.now()))

    def _judged(self, status: InferenceStatus, posted: Posted, attempts: int) -> tuple[WebhookState, timedelta]:
        if posted.outcome == "sent":
            return "sent", timedelta()
        if posted.outcome == "refused" or self._is_old(status):
            return "failed", timedelta()
        seconds = self._settings.webhook_retry_seconds * 2.0 ** min(attempts - 1, 16)
        return "retrying", min(timedelta(seconds=seconds), _LONGEST_PAUSE) * (1 + 0.2 * self._world.chance())

    async def _told(
        self, status: InferenceStatus, posted: Posted, state: WebhookState, attempts: int, pause: timedelta
    ) -> None:
        now = self._world.now()
        event = WebhookStatus(
            inference_id=status.inference_id,
            key_id=status.key_id,
            state=state,
            attempts=attempts,
            response_code=posted.response_code,
            updated_at=now,
            next_attempt_at=now + pause if state == "retrying" else None,
        )
        self._log.info("webhook", inference_id=event.inference_id, state=state, attempts=attempts)
        self._tried.fold(_NOWHERE, event)
        await self._world.tell(event)


_NOWHERE: Final = Record("", 0, 0, None, None)


def _finished(record: Record) -> InferenceStatus | None:
    """Read a status whose results are stored; most records are none, and cost little."""
    if record.value is None or b'"state":"in_progress"' in record.value:
        return None
    try:
        status = InferenceStatus.decode(record.value)
    except UndecodableError:
        return None
    return status if status.state != "in_progress" and status.expires_at is not None else None


def owner_of(record: Record) -> str:
    """Name whose record it is, so that the webhooks of one customer do not hold up those of the others."""
    found = _KEY_ID.search(record.value or b"")
    return found[1].decode() if found else ""
