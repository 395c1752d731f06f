"""The one door to aiokafka: clients with the settings that lose nothing, and records in and out."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.events import Event
from schemas.topics import DEAD_LETTERS, Topic
from services.runtime.admission import NOT_ALLOWED, KafkaRefusedError, KafkaUnavailableError, knock, not_allowed
from services.runtime.cluster import Cluster, Kafka, cluster_of
from services.runtime.metrics import DEAD_LETTERS as DEAD_LETTERS_COUNTED
from services.runtime.trace_context import headers_of, traceparent_of

__all__ = [
    "LONG_WAIT_MS",
    "KafkaRefusedError",
    "KafkaUnavailableError",
    "Publisher",
    "Record",
    "consumer",
    "hold_back",
    "publisher",
    "record_of",
]

MAX_REQUEST_BYTES: Final = 2 * 1024 * 1024
MAX_BATCH_BYTES: Final = 128 * 1024
SESSION_TIMEOUT_MS: Final = 10_000
HEARTBEAT_MS: Final = 3_000
_STOP_TIMEOUT_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.5
_GATHER_SECONDS: Final = 0.002
_GATHER_MOMENTS: Final = 5
_GATHER_BEHIND_SECONDS: Final = 0.02
_WAIT_MS: Final = 250
LONG_WAIT_MS: Final = 1_000
"""For how long Kafka may hold a question of a consumer that asks for little else; each has its price, news or none."""
_GATHER_BYTES: Final = 256 * 1024


KeyAndValue = tuple[bytes, bytes]
Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Record:
    """One record as it was read; nothing in it is trusted."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    written_at: float = 0.0
    """Seconds since 1970, as its producer says."""
    traceparent: str | None = None
    """The W3C trace context that it came with, where there is a valid one."""


def record_of(found: ConsumerRecord) -> Record:
    """Take over a record of the library."""
    trace = traceparent_of(found.headers) if found.headers else None
    return Record(found.topic, found.partition, found.offset, found.key, found.value, found.timestamp / 1000, trace)


class Publisher:
    """Writes events and waits for the acknowledgement of all in-sync replicas, never longer than the limit."""

    def __init__(self, producer: AIOKafkaProducer, timeout_seconds: float) -> None:
        self._producer = producer
        self._timeout_seconds = timeout_seconds
        self._gathered: dict[Topic, Gathered] = {}
        self._sending: dict[Topic, asyncio.Task[None]] = {}

    async def prepare(self, topics: Sequence[Topic]) -> None:
        """Learn where the topics are, so that the first event does not have to; raises `KafkaUnavailableError`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                for topic in topics:
                    await self._producer.partitions_for(topic.name)
        except (TimeoutError, KafkaError) as error:
            raise KafkaUnavailableError(f"Kafka did not say where its topics are: {type(error).__name__}") from error

    async def publish(
        self, topic: Topic, events: Sequence[Event], traceparent: str | None = None
    ) -> list[tuple[int, int]]:
        """Write all events, with the trace that they belong to; returns partition and offset of each, in order.

        Raises `KafkaUnavailableError` where an acknowledgement is missing: those events may still be written.
        """
        headers = headers_of(traceparent)
        return await self._acknowledged(
            (topic.name, event.encode(), topic.key(event).encode(), headers) for event in events
        )

    async def publish_evenly(
        self, topic: Topic, records: Sequence[KeyAndValue], first_partition: int, traceparent: str | None = None
    ) -> None:
        """Write keys and encoded events over all partitions in turn, where a key need not name its partition.

        Takes a third of the processor time of `publish`, most of which is hashing keys and waiting for each event.
        What is published while others are on their way goes together: each partition's batch has a price of its own.
        Raises `KafkaUnavailableError` where an acknowledgement is missing: those events may still be written.
        """
        gathered = self._gathered.get(topic)
        if gathered is None:
            gathered = self._gathered[topic] = Gathered(topic.partitions)
            gathered.sending = asyncio.create_task(self._send(topic, gathered))
        gathered.add(records, first_partition, headers_of(traceparent))
        await asyncio.shield(gathered.sending)

    async def _send(self, topic: Topic, gathered: "Gathered") -> None:
        await self._turn(topic)
        del self._gathered[topic]
        self._sending[topic] = gathered.sending
        try:
            async with asyncio.timeout(self._timeout_seconds):
                sent = [
                    await self._queued(batch, topic.name, partition)
                    for partition in range(topic.partitions)
                    for batch in self._batches(gathered.of(partition))
                ]
                await asyncio.gather(*sent)
        except NOT_ALLOWED as error:
            raise not_allowed(error) from error
        except (TimeoutError, KafkaError) as error:
            raise KafkaUnavailableError(f"Kafka did not acknowledge: {type(error).__name__}") from error

    async def _turn(self, topic: Topic) -> None:
        """Wait for others, and for what is on its way to be acknowledged; but not long: a broker may be away."""
        await self._all_come(self._gathered[topic])
        before = self._sending.get(topic)
        if before is not None and not before.done():
            await asyncio.wait([before], timeout=_GATHER_BEHIND_SECONDS)

    async def _all_come(self, gathered: "Gathered") -> None:
        """Wait until nothing more has come for a moment, a few times at most."""
        for _ in range(_GATHER_MOMENTS):
            come = len(gathered)
            await asyncio.sleep(_GATHER_SECONDS)
            if len(gathered) == come:
                return

    async def _queued(self, batch: BatchBuilder, topic: str, partition: int) -> asyncio.Future[object]:
        """Queue a batch behind the one before it, which may wait for its broker longer than the library likes."""
        while True:
            try:
                future: asyncio.Future[object] = await self._producer.send_batch(batch, topic, partition=partition)
            except KafkaTimeoutError:
                await asyncio.sleep(0)  # the caller's limit ends this
            else:
                return future

    def _batches(self, gathered: Iterable[tuple[Sequence[KeyAndValue], Headers]]) -> Iterator[BatchBuilder]:
        """Fill the library's batches; each is closed when no further record fits, and takes its first in any case.

        The library's own call for each record takes longer than what it calls.
        """
        now, taken, batch = int(time.time() * 1000), 0, self._producer.create_batch()
        for records, headers in gathered:
            for key, value in records:
                if batch._builder.append(taken, now, key, value, headers) is None:  # noqa: SLF001
                    yield _closed(batch, taken)
                    taken, batch = 0, self._producer.create_batch()
                    batch._builder.append(taken, now, key, value, headers)  # noqa: SLF001
                taken += 1
        if taken:
            yield _closed(batch, taken)

    async def forget(self, topic: Topic, key: str) -> None:
        """Remove a key from a compacted topic; raises `KafkaUnavailableError` where no acknowledgement comes."""
        await self._acknowledged([(topic.name, None, key.encode(), [])])

    async def tell_time(self, topic: Topic, partition: int) -> None:
        """Write a record of nothing, for the time that the broker gives it; raises `KafkaUnavailableError`."""
        await self._acknowledged([(topic.name, None, b"time", [])], partition)

    async def dead_letter(self, record: Record, service: str, reason: str) -> None:
        """Keep a record that could not be used, as it was, with where it came from and why."""
        origin = {
            "origin-topic": record.topic,
            "origin-partition": str(record.partition),
            "origin-offset": str(record.offset),
            "service": service,
            "reason": reason,
        }
        headers = [(name, text.encode()) for name, text in origin.items()] + headers_of(record.traceparent)
        if record.key is not None:
            headers.append(("origin-key", record.key[:1024]))
        await self._acknowledged([(DEAD_LETTERS.name, record.value, record.topic.encode(), headers)])
        DEAD_LETTERS_COUNTED.labels(record.topic).inc()

    async def _acknowledged(
        self, records: Iterable[tuple[str, bytes | None, bytes, Headers]], partition: int | None = None
    ) -> list[tuple[int, int]]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                sent = [
                    await self._producer.send(topic, value=value, key=key, headers=headers, partition=partition)
                    for topic, value, key, headers in records
                ]
                written = [await sent[0]] if len(sent) == 1 else await asyncio.gather(*sent)
        except NOT_ALLOWED as error:
            raise not_allowed(error) from error
        except (TimeoutError, KafkaError) as error:
            raise KafkaUnavailableError(f"Kafka did not acknowledge: {type(error).__name__}") from error
        return [(metadata.partition, metadata.offset) for metadata in written]


def _closed(batch: BatchBuilder, taken: int) -> BatchBuilder:
    """Close a batch that records were put into past the library's count of them."""
    batch._relative_offset = taken  # noqa: SLF001
    batch.close()
    return batch


class Gathered:
    """Records of one topic that are published within a moment, and the task that sends them."""

    sending: asyncio.Task[None]

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._added: list[tuple[Sequence[KeyAndValue], int, Headers]] = []

    def __len__(self) -> int:
        return len(self._added)

    def add(self, records: Sequence[KeyAndValue], first_partition: int, headers: Headers) -> None:
        """Deal records to all partitions in turn."""
        self._added.append((records, first_partition, headers))

    def of(self, partition: int) -> Iterator[tuple[Sequence[KeyAndValue], Headers]]:
        """List what a partition gets."""
        for records, first, headers in self._added:
            yield records[(partition - first) % self._partitions :: self._partitions], headers


@asynccontextmanager
async def publisher(
    kafka: Kafka,
    publish_timeout_seconds: float,
    start_timeout_seconds: float,
    linger_ms: int = 2,
    *,
    compressed: bool = False,
) -> AsyncIterator[Publisher]:
    """Open an idempotent producer with acks=all; raises `KafkaUnavailableError` when Kafka is not there in time.

    Events wait `linger_ms` for others that go the same way: a request costs more than what it carries. Compression
    pays where many records of one request say the same.
    """
    cluster = cluster_of(kafka)
    producer = AIOKafkaProducer(
        **cluster.client_options(),
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=5_000,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=MAX_BATCH_BYTES,
        linger_ms=linger_ms,
        compression_type="snappy" if compressed else None,
    )
    await _started(producer, cluster, start_timeout_seconds)
    try:
        yield Publisher(producer, publish_timeout_seconds)
    finally:
        await _stopped(producer)


@asynccontextmanager
async def consumer(
    kafka: Kafka,
    start_timeout_seconds: float,
    group: str | None = None,
    instance_id: str | None = None,
    *,
    max_wait_ms: int = _WAIT_MS,
) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer of bytes, from the earliest record, that commits only when told.

    A member with an instance id keeps its partitions over a restart within the session's timeout. Where nothing is new
    Kafka holds a question for `max_wait_ms`: a longer time asks less often, and lets what else is asked of that broker
    wait; where something is new it answers at once.
    """
    cluster = cluster_of(kafka)
    client = AIOKafkaConsumer(
        **cluster.client_options(),
        group_id=group,
        group_instance_id=instance_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
        rebalance_timeout_ms=SESSION_TIMEOUT_MS,
        request_timeout_ms=15_000,
        fetch_max_wait_ms=max_wait_ms,
    )
    await _started(client, cluster, start_timeout_seconds)
    try:
        yield client
    finally:
        await _stopped(client)


def hold_back(client: AIOKafkaConsumer, gather_ms: int | None) -> None:
    """Have Kafka hold what is new back for so long, from the next question on; None: answer it at once.

    It bounds the answers, of which each has its price for every partition. aiokafka asks as it was told at its start.
    """
    client._fetcher._fetch_max_wait_ms = client._fetch_max_wait_ms if gather_ms is None else gather_ms  # noqa: SLF001
    client._fetcher._fetch_min_bytes = client._fetch_min_bytes if gather_ms is None else _GATHER_BYTES  # noqa: SLF001


async def _started(client: AIOKafkaProducer | AIOKafkaConsumer, cluster: Cluster, timeout_seconds: float) -> None:
    try:
        async with asyncio.timeout(timeout_seconds):
            await _start(client, cluster)
    except BaseException as error:
        await _stopped(client)
        if isinstance(error, TimeoutError):
            raise KafkaUnavailableError(f"Kafka did not answer within {timeout_seconds:g} seconds") from error
        raise


async def _start(client: AIOKafkaProducer | AIOKafkaConsumer, cluster: Cluster) -> None:
    """Try until Kafka answers; raises `KafkaRefusedError` when it answers that we may not."""
    while True:
        try:
            await client.start()
        except KafkaConnectionError:
            await knock(cluster)
            await asyncio.sleep(_RETRY_SECONDS)
        except NOT_ALLOWED as error:
            raise not_allowed(error) from error
        else:
            return


async def _stopped(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop within the limit: a client whose broker is away would flush for ever."""
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_SECONDS):
            await client.stop()
    except (TimeoutError, KafkaError):
        return
