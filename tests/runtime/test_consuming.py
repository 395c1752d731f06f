"""The window, the order and the commits of a consumption, on a consumer that is a list of records."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from schemas.topics import IMAGES_SUBMITTED
from services.runtime.consuming import Consumption, Source, Window
from services.runtime.kafka import Record
from services.runtime.logs import configure_logs


@dataclass(frozen=True)
class Found:
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Log:
    """Records in memory behind the consumer's interface."""

    records: dict[TopicPartition, list[Found]]
    positions: dict[TopicPartition, int] = field(default_factory=lambda: defaultdict(int))
    stopped: set[TopicPartition] = field(default_factory=set)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    commit_error: Exception | None = None
    listener: Any = None

    def subscribe(self, _: Sequence[str], listener: object) -> None:
        self.listener = listener

    def assignment(self) -> set[TopicPartition]:
        return set(self.records)

    def paused(self) -> set[TopicPartition]:
        return set(self.stopped)

    def pause(self, *partitions: TopicPartition) -> None:
        self.stopped |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.stopped -= set(partitions)

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Found]]:
        await asyncio.sleep(0.001)
        del timeout_ms
        found = {}
        for partition, records in self.records.items():
            if partition not in self.stopped and (some := records[self.positions[partition] :][:max_records]):
                self.positions[partition] += len(some)
                found[partition] = some
        return found

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: len(self.records[partition]) for partition in partitions}

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.commit_error is not None:
            raise self.commit_error
        self.committed |= offsets


def log_of(*owners: str, partitions: int = 1) -> Log:
    """One record for each owner named, over the partitions in turn."""
    records: dict[TopicPartition, list[Found]] = {TopicPartition("t", number): [] for number in range(partitions)}
    for number, owner in enumerate(owners):
        line = records[TopicPartition("t", number % partitions)]
        line.append(Found("t", number % partitions, len(line), owner.encode(), b"v"))
    return Log(records)


_TOPIC = replace(IMAGES_SUBMITTED, name="t")


def consumption(log: Log, process: Callable[[Record], Any], window: Window | None = None) -> Consumption:
    return Consumption(
        log,
        process,
        configure_logs("test", "error"),
        source=Source(_TOPIC, "group", lambda record: (record.key or b"").decode()),
        window=window or Window(4, 20, 20),
        drain_seconds=0.2,
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # the condition is of what is tested
            await asyncio.sleep(0.002)


async def test_all_is_processed_and_committed_at_the_end() -> None:
    log, seen, stopping = log_of(*["a"] * 50, partitions=3), list[Record](), asyncio.Event()

    async def process(record: Record) -> None:
        await asyncio.sleep(0)
        seen.append(record)

    running = asyncio.create_task(consumption(log, process).run(stopping))
    await until(lambda: len(seen) == 50)
    stopping.set()
    await running
    assert log.committed == {TopicPartition("t", 0): 17, TopicPartition("t", 1): 17, TopicPartition("t", 2): 16}


async def test_one_owner_that_hangs_leaves_places_for_others() -> None:
    log, seen, stopping = log_of(*["hangs"] * 15, *["other"] * 10), list[str](), asyncio.Event()

    async def process(record: Record) -> None:
        if record.key == b"hangs":
            await asyncio.sleep(60)
        seen.append((record.key or b"").decode())

    work = consumption(log, process, Window(8, 30, 30))
    running = asyncio.create_task(work.run(stopping))
    await until(lambda: len(seen) == 10)
    assert set(seen) == {"other"}
    stopping.set()
    await running
    assert log.committed == {}  # the first record of the log never ended


async def test_a_full_window_pauses_and_goes_on_when_there_is_room() -> None:
    log, free, done, stopping = log_of(*["a"] * 100), asyncio.Event(), list[int](), asyncio.Event()

    async def process(record: Record) -> None:
        await free.wait()
        done.append(record.offset)

    work = consumption(log, process, Window(4, 20, 10))
    running = asyncio.create_task(work.run(stopping))
    await until(lambda: log.stopped)
    assert work.trouble() is None
    free.set()
    await until(lambda: len(done) == 100)
    stopping.set()
    await running
    assert log.committed[TopicPartition("t", 0)] == 100


async def test_a_lost_partition_drops_what_has_not_begun_and_commits_what_is_done() -> None:
    log, seen, stopping = log_of(*["a"] * 12), list[int](), asyncio.Event()

    async def process(record: Record) -> None:
        if record.offset >= 3:
            await asyncio.sleep(60)
        seen.append(record.offset)

    work = consumption(log, process)
    running = asyncio.create_task(work.run(stopping))
    await until(lambda: len(seen) == 3)
    await work.on_partitions_revoked([TopicPartition("t", 0)])
    assert log.committed[TopicPartition("t", 0)] == 3
    assert work.records_in_hand == 0
    stopping.set()
    await running


async def test_a_commit_that_fails_is_made_again_later() -> None:
    log, stopping = log_of(*["a"] * 5), asyncio.Event()
    log.commit_error = CommitFailedError()

    async def process(_: Record) -> None:
        await asyncio.sleep(0)

    work = consumption(log, process)
    running = asyncio.create_task(work.run(stopping))
    await until(lambda: log.positions[TopicPartition("t", 0)] == 5 and work.records_in_hand == 0)
    await work.on_partitions_revoked([])
    assert not running.done()
    log.commit_error = None
    stopping.set()
    await running
    assert log.committed[TopicPartition("t", 0)] == 5


async def test_a_fault_of_ours_ends_it_without_a_commit_of_that_record() -> None:
    log = log_of(*["a"] * 5)

    async def process(record: Record) -> None:
        if record.offset == 2:
            raise RuntimeError("ours")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="ours"):
        await consumption(log, process).run(asyncio.Event())
    assert log.committed[TopicPartition("t", 0)] == 2
