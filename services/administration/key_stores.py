"""Where `huestream keys` finds and puts keys: the topic, or a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from schemas.events import ApiKey
from schemas.topics import API_KEYS
from services.runtime.api_keys import KeyRing
from services.runtime.cluster import Kafka
from services.runtime.following import Follower
from services.runtime.kafka import consumer, publisher
from services.runtime.key_sources import append_key, read_keys
from services.runtime.logs import configure_logs
from services.runtime.topic_admin import require

_TIMEOUT_SECONDS: Final = 30.0


class KeyStore(Protocol):
    """Keeps keys; the newest record of an id holds."""

    async def all(self) -> Sequence[ApiKey]:
        """List all keys, oldest first."""

    async def put(self, key: ApiKey) -> None:
        """Keep a key; it is durable when this returns."""


@dataclass(frozen=True)
class KeyTopic:
    """Keys in their compacted topic."""

    kafka: Kafka

    async def all(self) -> Sequence[ApiKey]:
        """Read the topic; raises `KafkaUnavailableError`."""
        ring = KeyRing()
        log = configure_logs("keys", "warning")
        await require(self.kafka, [API_KEYS], _TIMEOUT_SECONDS)
        async with consumer(self.kafka, _TIMEOUT_SECONDS) as source:
            await Follower(source, {API_KEYS: ring.fold}, log).catch_up(_TIMEOUT_SECONDS)
        return ring.all()

    async def put(self, key: ApiKey) -> None:
        """Publish a key; raises `KafkaUnavailableError`."""
        await require(self.kafka, [API_KEYS], _TIMEOUT_SECONDS)
        async with publisher(self.kafka, _TIMEOUT_SECONDS, _TIMEOUT_SECONDS) as out:
            await out.publish(API_KEYS, [key])


@dataclass(frozen=True)
class KeysInFile:
    """Keys in a file that the services read where `HUESTREAM_API_KEYS_FILE` names it."""

    path: Path

    async def all(self) -> Sequence[ApiKey]:
        """Read the file; raises `KeyFileError`. One that does not exist yet has no keys."""
        ring = KeyRing()
        ring.replace(read_keys(self.path) if self.path.exists() else [])
        return ring.all()

    async def put(self, key: ApiKey) -> None:
        """Append a key; raises `KeyFileError`."""
        append_key(self.path, key)
