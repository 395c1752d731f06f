"""What the reporter costs, on a real Kafka.

    python benchmarks/reporter.py [cpu] [latency] [changelog] [memory] [--batches 40] [--open 1000]

cpu: processor time of one result through the gathering logic, the 250th of a batch against the first; and a reporter
as a process against an empty Faust agent that parses the same events and writes one table row for each. latency: from
the last result of 250 to the mail. changelog: what the tables' topics hold of a batch. memory: what open batches take,
with either store. Needs the development requirements; the broker's jars come from the user's data folder.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import faust

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from schemas.events import BatchSubmitted, ImageClassified  # noqa: E402  # the tests' modules lie beside, not inside
from schemas.topics import IMAGES_CLASSIFIED, PARTITIONS, REPORTER_APP, REPORTER_TABLES, Topic  # noqa: E402
from services.local.folders import user_data_folder  # noqa: E402
from services.local.kafka.jars import ensure_jars  # noqa: E402
from services.local.leash import leashed  # noqa: E402
from services.reporter.collecting import Collector, Surroundings  # noqa: E402
from services.reporter.gathering import Gathering, Tables  # noqa: E402
from services.runtime.kafka import Record, consumer, publisher  # noqa: E402
from services.runtime.logs import configure_logs  # noqa: E402
from services.runtime.scanning import ends_of  # noqa: E402
from services.runtime.topic_admin import topic_admin  # noqa: E402
from tests.kafka_fixtures import running_kafka  # noqa: E402
from tests.reporter.examples import classification  # noqa: E402
from tests.reporter.world import World, new_batch, results_of, world_around  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

EMPTY_APP: Final = "huestream-empty-agent"
SIZE: Final = 250
PATIENCE_SECONDS: Final = 3600.0
HELD_SECONDS: Final = 60.0
LONG: Final = {
    "watchdog_seconds": PATIENCE_SECONDS,
    "session_timeout_seconds": HELD_SECONDS,
    "deadline_seconds": 12 * PATIENCE_SECONDS,
}


def _changelog(app: str, table: str) -> Topic:
    return Topic(f"{app}-{table}-changelog", None, str, written_by=("reporter",), read_by=("reporter",), compacted=True)


EMPTY_CHANGELOG: Final = _changelog(EMPTY_APP, "rows")
CHANGELOGS: Final = {table: _changelog(REPORTER_APP, table) for table in REPORTER_TABLES}


def successes(submitted: BatchSubmitted) -> list[ImageClassified]:
    """Results as the classifier writes them for a catalog without faults."""
    found = classification()
    changes = {"status": "succeeded", "error": None, "classification": found}
    return [event.model_copy(update=changes) for event in results_of(submitted)]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far; source: proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def first_and_last(batches: int = 200) -> tuple[float, float]:
    """Median microseconds of the first result of a batch and of the 249th, which closes nothing yet."""
    gathering = Gathering(Tables(rows={}, head={}, sent={}))
    collector = Collector(gathering, Surroundings(_nowhere), configure_logs("benchmark", "error"))
    firsts, lasts = [], []
    for _ in range(batches):
        made = new_batch(SIZE)
        _taken(collector.open(made, made.submitted_at))
        costs = [_cost(collector, result) for result in successes(made)[:-1]]
        firsts.append(costs[0])
        lasts.append(costs[-1])
    return statistics.median(firsts), statistics.median(lasts)


def _cost(collector: Collector, result: ImageClassified) -> float:
    began = time.perf_counter_ns()
    _taken(collector.add(result, result.classified_at))
    return (time.perf_counter_ns() - began) / 1000


def _taken(work: object) -> None:
    try:
        work.send(None)  # type: ignore[attr-defined]
    except StopIteration:
        return


async def _nowhere(_: object) -> None:
    return


def empty_agent(bootstrap: str, folder: str) -> None:
    """Run the least that such a worker could do, with the reporter's settings."""
    app = faust.App(
        EMPTY_APP,
        broker=f"kafka://{bootstrap}",
        datadir=folder,
        key_serializer="raw",
        value_serializer="raw",
        stream_wait_empty=False,
        broker_commit_interval=1.0,
        broker_session_timeout=HELD_SECONDS,
        broker_heartbeat_interval=HELD_SECONDS / 4,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        topic_partitions=PARTITIONS,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    rows = app.Table("rows", partitions=PARTITIONS, key_type=bytes, value_type=bytes)

    async def take(events: faust.types.StreamT[bytes]) -> None:
        async for found in events.events():
            event = ImageClassified.decode(found.message.value)
            rows[f"{event.inference_id}|{event.index}".encode()] = found.message.value

    app.agent(app.topic(IMAGES_CLASSIFIED.name, key_type=bytes, value_type=bytes, partitions=PARTITIONS))(take)

    async def run() -> None:
        await app.start()
        await app.wait_until_stopped()

    asyncio.run(run())


def count(world: World, topic: Topic) -> int:
    """How many records were ever written to a topic."""

    async def look() -> int:
        async with consumer(world.bootstrap, 30) as source:
            ends = await ends_of(source, 30, [(topic.name, number) for number in range(topic.partitions)])
        return sum(end for _, end in ends.values())

    return asyncio.run(look())


def measured(world: World, pid: int, topic: Topic, batches: Sequence[BatchSubmitted], *, opened: bool) -> float:
    """Publish all but the last result of each batch; microseconds of processor time for each event.

    The process is held meanwhile, so that what is measured is work, and not how often it looks for some.
    """
    if opened:
        world.publish(*batches)
        wait_for(lambda: len(batches) <= count(world, CHANGELOGS["head"]) or None, "heads", PATIENCE_SECONDS, 1)
    before, began = count(world, topic), cpu_seconds(pid)
    events = [event for made in batches for event in successes(made)[:-1]]
    os.kill(pid, signal.SIGSTOP)
    world.publish(*events)
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: count(world, topic) - before >= len(events) or None, "rows", PATIENCE_SECONDS, 1)
    return (cpu_seconds(pid) - began) / len(events) * 1e6


def cpu(options: argparse.Namespace) -> None:
    first, last = first_and_last()
    print(f"| the 249th result of a batch against the first, logic alone | {last / first:.2f}x ({first:.0f} us, "
          f"{last:.0f} us) | 1.2x |")  # fmt: skip
    with new_world() as world:
        reporter = world.start(session_timeout_seconds=HELD_SECONDS)
        reporter.wait_until_ready()
        warm, counted = ([new_batch(SIZE) for _ in range(number)] for number in (4, options.batches))
        measured(world, reporter.process.pid, CHANGELOGS["rows"], warm, opened=True)
        ours = measured(world, reporter.process.pid, CHANGELOGS["rows"], counted, opened=False)
        reporter.stop()
    with new_world() as world:
        asyncio.run(_create(world.bootstrap))
        command = [sys.executable, __file__, "--empty-agent", world.bootstrap, str(world.folder / "empty")]
        agent = subprocess.Popen(leashed(command))
        warm, counted = ([new_batch(SIZE) for _ in range(number)] for number in (4, options.batches))
        measured(world, agent.pid, EMPTY_CHANGELOG, warm, opened=False)
        empty = measured(world, agent.pid, EMPTY_CHANGELOG, counted, opened=False)
        agent.kill()
        agent.wait(10)
    ratio = f"{ours / empty:.2f}x ({ours:.0f} us, {empty:.0f} us)"
    print(f"| processor time of a result, against an empty agent's | {ratio} | 1.3x |")


async def _create(bootstrap: str) -> None:
    async with topic_admin(bootstrap) as admin:
        await admin.create([EMPTY_CHANGELOG], replicas=1)


def latency(options: argparse.Namespace) -> None:
    with new_world() as world:
        reporter = world.start()
        reporter.wait_until_ready()
        seconds = sorted(_seconds_to_mail(world) for _ in range(options.batches))
        reporter.stop()
    middle, late = statistics.median(seconds), seconds[int(len(seconds) * 0.99)]
    print(f"| from the last of 250 results to the mail, p50 | {middle * 1000:.0f} ms | 100 ms |")
    print(f"| the same, p99 of {len(seconds)} | {late * 1000:.0f} ms | 1 s |")


def _seconds_to_mail(world: World) -> float:
    made = new_batch(SIZE)
    results = successes(made)
    before = len(world.sink.mails)
    world.publish(made, *results[:-1])
    time.sleep(1.0)  # the system is idle again
    began = asyncio.run(_last(world, results[-1]))
    wait_for(lambda: len(world.sink.mails) > before or None, "mail", pause_seconds=0.001)
    return world.sink.mails[-1][0] - began


async def _last(world: World, result: ImageClassified) -> float:
    """Publish with a producer that is connected already; gives the moment before."""
    async with publisher(world.bootstrap, 30, 30) as out:
        await out.prepare([IMAGES_CLASSIFIED])
        began = time.time()
        await out.publish(IMAGES_CLASSIFIED, [result])
        return began


def changelog(options: argparse.Namespace) -> None:
    with new_world() as world:
        reporter = world.start()
        reporter.wait_until_ready()
        batches = [new_batch(SIZE) for _ in range(min(options.batches, 20))]
        for made in batches:
            world.publish(made, *successes(made))
        world.wait_until_finished([made.inference_id for made in batches], PATIENCE_SECONDS)
        reporter.stop()
        sizes = {table: sum(map(_size, world.records(topic))) for table, topic in CHANGELOGS.items()}
        disk = sum(
            path.stat().st_size
            for topic in CHANGELOGS.values()
            for path in (world.folder / "kafka").rglob(f"{topic.name}-*/*.log")
        )
    parts = ", ".join(f"{table} {size / len(batches) / 1000:.1f}" for table, size in sizes.items())
    print(f"| changelog of a batch of 250, KB of keys and values | {sum(sizes.values()) / len(batches) / 1000:.0f} "
          f"({parts}) | 250 |")  # fmt: skip
    print(f"| the same on the broker's disk, before compaction | {disk / len(batches) / 1000:.0f} | |")


def _size(record: Record) -> int:
    return len(record.key or b"") + len(record.value or b"")


def memory(options: argparse.Namespace) -> None:
    for store in ("memory://", "rocksdb://"):
        with new_world() as world:
            _memory(world, store, options.open)


def _memory(world: World, store: str, count_open: int) -> None:
    reporter = world.start(state_store=store, **LONG)
    reporter.wait_until_ready()
    idle = resident_mb(reporter.process.pid)
    batches = [new_batch(SIZE, timedelta(hours=12)) for _ in range(count_open)]
    measured(world, reporter.process.pid, CHANGELOGS["rows"], batches, opened=True)
    full = resident_mb(reporter.process.pid)
    reporter.kill()
    again = world.start(state_store=store, **LONG)
    began = time.monotonic()
    wait_for(lambda: again.is_ready() or None, "recovery", PATIENCE_SECONDS)
    recovery = time.monotonic() - began
    print(f"| resident, {count_open} open batches of 250, {store} | {full:.0f} MB (idle {idle:.0f} MB; after a kill "
          f"{resident_mb(again.process.pid):.0f} MB, ready in {recovery:.0f} s) | |")  # fmt: skip
    again.kill()


@contextmanager
def new_world() -> Iterator[World]:
    jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
    with tempfile.TemporaryDirectory(prefix="huestream-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with running_kafka(folder / "kafka", jars) as kafka, world_around(kafka, folder) as world:
            yield world


def main() -> None:
    parts = {"cpu": cpu, "latency": latency, "changelog": changelog, "memory": memory}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--open", type=int, default=1000)
    parser.add_argument("--empty-agent", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.empty_agent:
        empty_agent(*options.empty_agent)
        return
    print("| | measured | promised |\n|---|---|---|")
    for name in options.parts or parts:
        parts[name](options)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
