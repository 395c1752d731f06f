"""Webhooks: one message for each finished batch, signed, tried again, guarded, never held up by others."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
import structlog
from aiohttp import web
from pydantic import SecretStr

from schemas.events import ApiKey, InferenceStatus, WebhookStatus
from services.ingest.pages.examples import webhook_example
from services.reporter.posting import Posted, poster
from services.reporter.settings import ReporterSettings
from services.reporter.webhooks import Tried, Webhooks, World, owner_of
from services.runtime.kafka import Record
from services.runtime.webhook_secrets import shown_secret, webhook_secret
from tests.ingest.pages.serving import serving
from tests.reporter.examples import INFERENCE_ID, NOW

MASTER = SecretStr("for tests only, for tests only, for tests only")
URL = "https://shop.example/hooks/colors"


def key(**changes: object) -> ApiKey:
    made = ApiKey(key_id="key1", owner="o", secret_sha256="a" * 64, created_at=NOW, webhook_url=URL)
    return made.model_copy(update=changes)


def status(**changes: object) -> InferenceStatus:
    made = InferenceStatus(
        inference_id=INFERENCE_ID,
        key_id="key1",
        state="completed",
        size=3,
        succeeded=2,
        failed=1,
        created_at=NOW,
        updated_at=NOW,
        finished_at=NOW,
        expires_at=NOW + timedelta(days=30),
    )
    return made.model_copy(update=changes)


def record(event: InferenceStatus) -> Record:
    return Record("inferences.status.v1", 0, 0, event.inference_id.encode(), event.encode())


class Play:
    """A world in which time passes only in pauses, and a server that answers as it was told to."""

    def __init__(self, *answers: Posted, known: ApiKey | None = None, secret: SecretStr | None = MASTER) -> None:
        self.answers = list(answers)
        self.now = NOW + timedelta(seconds=1)
        self.posts: list[tuple[str, bytes, dict[str, str]]] = []
        self.told: list[WebhookStatus] = []
        self.pauses: list[float] = []
        self.keys: list[ApiKey | None] = [known or key()]
        self.tried = Tried()
        settings = ReporterSettings(webhook_secret=secret, public_url="https://hue.example", link_secret=MASTER)
        world = World(self.find, self.post, self.tell, lambda: self.now, self.pause, lambda: 0.0)
        self.webhooks = Webhooks(settings, self.tried, world, structlog.get_logger())

    def find(self, _: str) -> ApiKey | None:
        return self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Posted:
        self.posts.append((url, body, headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def tell(self, event: WebhookStatus) -> None:
        self.told.append(event)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    @property
    def states(self) -> Sequence[str]:
        return [event.state for event in self.told]


async def test_a_finished_batch_is_told_once_with_a_signature_that_holds() -> None:
    play = Play(Posted("sent", 204))
    for _ in range(3):
        await play.webhooks.process(record(status()))
    [(url, body, headers)] = play.posts
    assert url == URL
    told = json.loads(body)
    documented = webhook_example("https://hue.example")
    assert (list(told), list(told["data"])) == (list(documented), list(documented["data"]))
    assert told["type"] == "inference.completed"
    assert told["data"]["id"] == INFERENCE_ID
    assert (told["data"]["succeeded"], told["data"]["failed"], told["data"]["total"]) == (2, 1, 3)
    assert told["data"]["view_url"].startswith(f"https://hue.example/inference/{INFERENCE_ID}/view?token=")
    secret = base64.b64decode(shown_secret(webhook_secret(MASTER, "key1")).removeprefix("whsec_"))
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    expected = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert play.states == ["sent"]
    assert play.told[0].response_code == 204


async def test_a_server_in_trouble_is_asked_again_with_growing_pauses_and_the_same_message() -> None:
    play = Play(Posted("retry", 500), Posted("retry"), Posted("retry", 302), Posted("sent", 200))
    await play.webhooks.process(record(status()))
    assert play.states == ["retrying", "retrying", "retrying", "sent"]
    assert play.pauses == [5, 10, 20]
    assert len({(headers["webhook-id"], body) for _, body, headers in play.posts}) == 1
    assert len({headers["webhook-timestamp"] for _, _, headers in play.posts}) == 4


async def test_it_is_given_up_in_the_end_and_at_once_where_nobody_wants_it() -> None:
    play = Play(Posted("retry", 500))
    await play.webhooks.process(record(status()))
    assert play.states[-1] == "failed"
    assert play.now - NOW > timedelta(days=1)
    assert max(play.pauses) == 3600
    gone = Play(Posted("refused", 410))
    await gone.webhooks.process(record(status()))
    assert gone.states == ["failed"]


async def test_after_a_restart_it_goes_on_where_it_was() -> None:
    play = Play(Posted("sent", 200))
    before = WebhookStatus(
        inference_id=INFERENCE_ID,
        key_id="key1",
        state="retrying",
        attempts=4,
        updated_at=NOW,
        next_attempt_at=NOW + timedelta(seconds=61),
    )
    play.tried.fold(Record("", 0, 0, None, None), before)
    await play.webhooks.process(record(status()))
    assert play.pauses == [60]
    assert play.told[-1].attempts == 5


async def test_a_batch_may_have_a_webhook_of_its_own() -> None:
    own = "https://shop.example/hooks/this-batch"
    for known in (key(), key(webhook_url=None)):
        play = Play(Posted("sent", 200), known=known)
        await play.webhooks.process(record(status(webhook_url=own)))
        assert play.posts[0][0] == own


@pytest.mark.parametrize(
    "play",
    [
        Play(Posted("sent", 200), known=key(webhook_url=None)),
        Play(Posted("sent", 200), known=key(revoked_at=NOW)),
        Play(Posted("sent", 200), secret=None),
    ],
)
async def test_nobody_is_told_who_does_not_wish_it(play: Play) -> None:
    await play.webhooks.process(record(status()))
    assert play.posts == []


@pytest.mark.parametrize(
    "found",
    [
        record(status(state="in_progress")),
        record(status(expires_at=None)),
        record(status(finished_at=NOW - timedelta(days=2))),
        Record("", 0, 0, b"x", None),
        Record("", 0, 0, b"x", b"{"),
    ],
)
async def test_what_is_no_news_is_passed_over(found: Record) -> None:
    play = Play(Posted("sent", 200))
    await play.webhooks.process(found)
    assert play.posts == []


async def test_a_key_that_is_read_late_is_waited_for() -> None:
    play = Play(Posted("sent", 200))
    play.keys = [None, None, key()]
    await play.webhooks.process(record(status()))
    assert play.states == ["sent"]


def test_the_owner_of_a_record_is_its_key() -> None:
    assert owner_of(record(status())) == "key1"
    assert owner_of(Record("", 0, 0, None, b"nothing")) == ""


@pytest.fixture
async def receiver() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        if kind == "slow":
            await asyncio.sleep(30)
        if kind == "inward":
            raise web.HTTPFound("http://169.254.169.254/latest/meta-data")
        return web.Response(status=int(kind))

    app = web.Application()
    app.router.add_post("/{kind}", answer)
    async with serving(app) as url:
        yield url


def settings_of(**changes: object) -> ReporterSettings:
    given = {"environment": "development", "allow_networks": "127.0.0.0/8", "webhook_timeout_seconds": 30}
    return ReporterSettings.model_validate(given | changes)


@pytest.mark.parametrize(
    ("kind", "posted"),
    [
        ("200", Posted("sent", 200)),
        ("204", Posted("sent", 204)),
        ("500", Posted("retry", 500)),
        ("404", Posted("retry", 404)),
        ("410", Posted("refused", 410)),
        ("inward", Posted("retry", 302)),
        ("slow", Posted("retry")),
    ],
)
async def test_every_answer_has_its_meaning(receiver: str, kind: str, posted: Posted) -> None:
    async with poster(settings_of(webhook_timeout_seconds=0.3 if kind == "slow" else 30)) as posts:
        assert await posts.post(f"{receiver}/{kind}", b"{}", {}) == posted


async def test_an_address_that_is_not_public_is_never_connected_to(receiver: str) -> None:
    async with poster(settings_of(allow_networks="")) as posts:
        for url in (f"{receiver}/200", "http://[::1]/", "http://169.254.169.254/", "http://10.0.0.1:80/", "ftp://x/"):
            assert await posts.post(url, b"{}", {}) == Posted("refused"), url
    async with poster(settings_of(allow_networks=""), lambda _: [(2, "127.0.0.1")]) as posts:
        assert await posts.post("http://rebound.example/", b"{}", {}) == Posted("refused")


def test_production_posts_to_public_addresses_only() -> None:
    with pytest.raises(ValueError, match="HUESTREAM_ALLOW_NETWORKS is for development"):
        settings_of(environment="production")
