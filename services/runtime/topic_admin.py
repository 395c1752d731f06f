"""Creating the declared topics and comparing them with what the broker has; nothing is ever changed silently."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from schemas.topics import Topic
from services.runtime.admission import KafkaRefusedError, KafkaUnavailableError, knock
from services.runtime.cluster import Cluster, Kafka, cluster_of

_TIMEOUT_SECONDS: Final = 30.0
_TOPIC_ALREADY_EXISTS: Final = 36
_SEEN_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.1


class TopicError(Exception):
    """The broker refused to create a topic; the message names the topic and the reason."""


@dataclass(frozen=True)
class Difference:
    """One way in which a topic is not as declared."""

    topic: str
    setting: str
    declared: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, declared is {self.declared}"


@asynccontextmanager
async def admin_client(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect; raises `KafkaUnavailableError` when no broker answers within 30 s, or none lets us in."""
    cluster = cluster_of(kafka)
    client = AIOKafkaAdminClient(**cluster.client_options(), request_timeout_ms=15_000)
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await client.start()
    except (TimeoutError, KafkaConnectionError) as error:
        await client.close()
        reason = await knock(cluster)
        told = f" ({reason})" if reason else ""
        raise KafkaUnavailableError(f"no Kafka broker answers at {cluster.bootstrap_servers}{told}") from error
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def topic_admin(kafka: Kafka) -> AsyncIterator["TopicAdmin"]:
    """Connect as `admin_client` does."""
    async with admin_client(kafka) as client:
        yield TopicAdmin(client)


class TopicAdmin:
    """What `huestream topics` does."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def create(self, topics: Sequence[Topic], replicas: int) -> list[str]:
        """Create what is missing, and wait until it is seen; returns the names of those that were created."""
        existing = set(await self._client.list_topics())
        missing = [topic for topic in topics if topic.name not in existing]
        if not missing:
            return []
        answer = await self._client.create_topics(
            [
                NewTopic(topic.name, topic.partitions, replicas, topic_configs=topic.config(replicas))
                for topic in missing
            ]
        )
        for name, code, *reason in answer.topic_errors:
            if code not in {0, _TOPIC_ALREADY_EXISTS}:
                raise TopicError(f"{name} was not created: {for_code(code).__name__} {' '.join(map(str, reason))}")
        created = [topic.name for topic in missing]
        await self._until_seen(created)
        return created

    async def _until_seen(self, names: Sequence[str]) -> None:
        """Wait for the broker that answers us: it learns of a new topic a moment after the controller made it."""
        try:
            async with asyncio.timeout(_SEEN_SECONDS):
                while not set(names) <= set(await self._client.list_topics()):  # noqa: ASYNC110  # nothing tells us
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError as error:
            raise TopicError(
                f"topics were created and are not seen after {_SEEN_SECONDS:g} seconds; run again"
            ) from error

    async def found(self) -> dict[str, Any]:
        """Describe all topics that we may see, by name."""
        return {entry["topic"]: entry for entry in await self._client.describe_topics()}

    async def differences(self, topics: Sequence[Topic], replicas: int) -> list[Difference]:
        """Compare partitions, replication and settings of all topics with their declaration."""
        found = await self.found()
        present = [topic for topic in topics if topic.name in found]
        settings = await self._settings(present)
        absent = [Difference(t.name, "topic", "present", "absent") for t in topics if t.name not in found]
        return absent + [
            difference
            for topic in present
            for difference in _compare(topic, replicas, found[topic.name]["partitions"], settings[topic.name])
        ]

    async def _settings(self, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
        answers = await self._client.describe_configs(resources) if resources else []
        return {
            resource[3]: {entry[0]: entry[1] for entry in resource[4]}
            for answer in answers
            for resource in answer.resources
        }


def _compare(
    topic: Topic, replicas: int, partitions: Sequence[dict[str, object]], settings: dict[str, str]
) -> list[Difference]:
    replication = {len(partition["replicas"]) for partition in partitions}  # type: ignore[arg-type]
    pairs = [
        ("partitions", str(topic.partitions), str(len(partitions))),
        ("replicas", str(replicas), ", ".join(map(str, sorted(replication)))),
        *((name, value, settings.get(name, "unset")) for name, value in topic.config(replicas).items()),
    ]
    return [Difference(topic.name, name, declared, found) for name, declared, found in pairs if declared != found]


async def require(kafka: Kafka, topics: Sequence[Topic], timeout_seconds: float, replicas: int = 1) -> None:
    """Refuse to start without the topics, or with fewer replicas of one; raises `TopicError` with what to do."""
    found = await _patiently_found(kafka, timeout_seconds)
    for topic in topics:
        if topic.name not in found:
            raise TopicError(_absent(topic.name, cluster_of(kafka)))
        least = min((len(partition["replicas"]) for partition in found[topic.name]["partitions"]), default=0)
        if least < replicas:
            raise TopicError(
                f"the topic {topic.name} has {least} replicas, fewer than HUESTREAM_TOPIC_REPLICAS, which is {replicas}"
            )


async def _patiently_found(kafka: Kafka, timeout_seconds: float) -> dict[str, Any]:
    """Describe the topics that we may see, by name, as soon as a broker answers."""
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while True:
        try:
            async with topic_admin(kafka) as admin:
                return await admin.found()
        except KafkaRefusedError:
            raise
        except (KafkaUnavailableError, KafkaError):
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.5)


def _absent(name: str, cluster: Cluster) -> str:
    if cluster.sasl:
        user = cluster.sasl.username
        return (
            f"Kafka has no topic {name} that the user {user} may see; create the topics with: huestream topics create, "
            "and see the rights that are needed with: huestream rights list"
        )
    return f"Kafka has no topic {name}; create the topics with: huestream topics create"
