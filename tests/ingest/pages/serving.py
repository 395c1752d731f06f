"""The pages on a real socket, without Kafka: batches, results and news are put in by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from aiohttp import web
from pydantic import SecretStr

from schemas.events import ImageClassified, InferenceStatus
from schemas.results import ResultItem, report_path, results_csv_path, results_ndjson_path, view_path
from schemas.results_csv import csv_of
from schemas.topics import IMAGES_CLASSIFIED
from services.ingest.app import Handler
from services.ingest.door import Door
from services.ingest.events import Events
from services.ingest.inferences import Inference, Inferences
from services.ingest.pages.assets import add_assets
from services.ingest.pages.viewing import Links, Viewing
from services.ingest.rate_limits import Limits
from services.ingest.reading import Reading
from services.ingest.refusals import RefusedError
from services.ingest.results import Results
from services.ingest.watching import Watchers
from services.runtime.api_keys import KeyRing
from services.runtime.kafka import Record
from services.runtime.object_store import object_folder
from services.runtime.signed_tokens import token_of
from services.runtime.tailing import Subscription, Tail

SECRET = SecretStr("for tests only, for tests only, for tests only")
INFERENCE_ID = "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10"
FINGERPRINT = "a" * 64
BEGAN = datetime.now(UTC) - timedelta(seconds=20)


class News:
    """Stands where the end of the topic is read."""

    def __init__(self) -> None:
        self.subscriptions: set[Subscription] = set()
        self.records: list[Record] = []

    @asynccontextmanager
    async def subscribed(self, _: str, arrived: asyncio.Event, __: float) -> AsyncIterator[Subscription]:
        subscription = Subscription(arrived)
        self.subscriptions.add(subscription)
        yield subscription
        self.subscriptions.discard(subscription)

    def tell(self, item: ResultItem) -> None:
        event = ImageClassified(
            **item.model_dump(), inference_id=INFERENCE_ID, fingerprint=FINGERPRINT, classified_at=datetime.now(UTC)
        )
        record = Record(IMAGES_CLASSIFIED.name, 0, len(self.records), INFERENCE_ID.encode(), event.encode())
        self.records.append(record)
        for subscription in self.subscriptions:
            subscription.add([record])
            subscription.arrived.set()


@dataclass
class Site:
    """A running server and the one batch that it knows."""

    store: Path
    size: int
    url: str = ""
    news: News = field(default_factory=News)
    watchers: Watchers = field(default_factory=Watchers)
    inferences: Inferences = field(init=False)

    def __post_init__(self) -> None:
        self.inferences = Inferences(self.watchers.changed)
        self.status(0, 0)

    def status(self, succeeded: int, failed: int, **changes: object) -> None:
        status = InferenceStatus(
            inference_id=INFERENCE_ID,
            key_id="key1",
            state="in_progress",
            size=self.size,
            succeeded=succeeded,
            failed=failed,
            created_at=BEGAN,
            updated_at=datetime.now(UTC),
        )
        self.inferences.fold_status(Record("", 0, 0, None, b""), status.model_copy(update=changes))

    def finish(self, items: Sequence[ResultItem], **changes: object) -> None:
        for path, content in (
            (results_csv_path(INFERENCE_ID), csv_of(items)),
            (results_ndjson_path(INFERENCE_ID), b"".join(item.model_dump_json().encode() + b"\n" for item in items)),
            (report_path(INFERENCE_ID), json.dumps({}).encode()),
        ):
            file = self.store / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        failed = sum(1 for item in items if item.error)
        ended = {"state": "completed", "finished_at": datetime.now(UTC), "expires_at": BEGAN + timedelta(days=30)}
        self.status(len(items) - failed, failed, **(ended | changes))

    def path(self, ending: str = "", until: datetime | None = None) -> str:
        path = view_path(INFERENCE_ID)
        token = token_of(SECRET, path, until or datetime.now(UTC) + timedelta(days=1))
        return f"{path}{ending}?token={token}"

    def viewing(self, secret: SecretStr | None = SECRET) -> Viewing:
        door = Door(KeyRing(), Limits(requests=120, images=3000, reads=600, failures=60))

        async def read_log(_: Inference) -> list[Record]:
            return self.news.records

        results = Results(object_folder(str(self.store)), read_log)
        events = Events(
            door=door,
            reading=Reading(door, self.inferences, results),
            results=results,
            watchers=self.watchers,
            tail=cast(Tail, self.news),
            max_streams=10,
            heartbeat_seconds=1,
        )
        return Viewing(Links(secret, 30), door, self.inferences, results, events)


@web.middleware
async def refusals_answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What the endpoint does with refusals, as far as pages need it."""
    try:
        return await handler(request)
    except RefusedError as refused:
        return web.Response(body=refused.error().model_dump_json(), status=refused.code)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def site_of(store: Path, size: int) -> AsyncIterator[Site]:
    site = Site(store, size)
    app = web.Application(middlewares=[refusals_answered])
    site.viewing().add_to(app)
    add_assets(app)
    async with serving(app) as site.url:
        yield site
