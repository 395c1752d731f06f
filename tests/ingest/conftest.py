"""Three replicas of the endpoint on a real Kafka; what the other services write, the tests write themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from schemas.events import ApiKey
from schemas.topics import API_KEYS, TOPICS
from services.runtime.api_keys import new_secret
from services.runtime.kafka import publisher
from services.runtime.topic_admin import topic_admin
from tests.ingest.calling import Caller
from tests.ingest.others import Others, others_of
from tests.ingest.replicas import Replica, replica
from tests.kafka_fixtures import RunningKafka, running_kafka

KeyMaker = Callable[[str], str]
_OWNERS = 300
_NOW = datetime.now(UTC)
_KINDS = {
    "expired": {"expires_at": _NOW - timedelta(days=1)},
    "revoked": {"revoked_at": _NOW - timedelta(days=1)},
    "reader": {"scopes": ("read",)},
    "submitter": {"scopes": ("submit",)},
    "described": {},
    "small": {"images_per_minute": 250, "requests_per_minute": 3},
}


async def _prepare(bootstrap: str, keys: Sequence[ApiKey]) -> None:
    async with topic_admin(bootstrap) as admin:
        await admin.create(TOPICS, 1)
    async with publisher(bootstrap, 30, 30) as out:
        await out.publish(API_KEYS, keys)


def _key(owner: str, **changes: object) -> tuple[str, ApiKey]:
    secret = new_secret()
    key = ApiKey(key_id=secret.key_id, owner=owner, secret_sha256=secret.sha256, created_at=_NOW)
    return secret.text, key.model_copy(update=changes)


@pytest.fixture(scope="package")
def kafka(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    """A broker of the endpoint's tests, until the last of them has ended."""
    with running_kafka(tmp_path_factory.mktemp("ingest-kafka"), kafka_jars) as running:
        yield running


@pytest.fixture(scope="package")
def issued(kafka: RunningKafka) -> dict[str, str]:
    """Keys of many owners, two of each: `3` and `3b` belong to one; and some that are not what they should be."""
    made = {f"{number}{letter}": _key(str(number)) for number in range(_OWNERS) for letter in ("", "b")}
    made |= {kind: _key("0", **changes) for kind, changes in _KINDS.items()}
    asyncio.run(_prepare(kafka.bootstrap, [key for _, key in made.values()]))
    return {name: text for name, (text, _) in made.items()}


@pytest.fixture(scope="package")
def report_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="package")
def replicas(kafka: RunningKafka, issued: dict[str, str], report_store: Path) -> Iterator[list[Replica]]:
    assert issued
    with ExitStack() as stack:
        yield [
            stack.enter_context(replica(kafka.bootstrap, report_store, body_timeout_seconds=1, idle_timeout_seconds=2))
            for _ in range(3)
        ]


@pytest.fixture(scope="package")
def owners() -> Iterator[int]:
    return iter(range(100, _OWNERS))


@pytest.fixture
def owner(owners: Iterator[int]) -> int:
    """An owner whose budgets nobody has touched."""
    return next(owners)


@pytest.fixture
async def caller(replicas: list[Replica], issued: dict[str, str], owner: int) -> AsyncIterator[Caller]:
    """Calls the first replica, unless told otherwise, with a key of its own."""
    # The replicas close idle connections soon: one that is used again may be closed as the request is sent.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield Caller(session, [each.url for each in replicas], issued[str(owner)])


@pytest.fixture
async def others(kafka: RunningKafka, report_store: Path) -> AsyncIterator[Others]:
    """The classifier and the reporter, played."""
    async with others_of(kafka.bootstrap, report_store) as playing:
        yield playing
