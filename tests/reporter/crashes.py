"""What is left after reporters were killed: one mail for each batch, with all lines.

    python -m tests.reporter.crashes [--kills 30] [--stores memory:// rocksdb://] [--size 250] [--steps | --away 600]

Two reporters read batches whose results come shuffled, doubled and late, while one of them, drawn by chance, is
killed with -9 and started again, over and over. With --steps, a reporter is ended at each step M1 to M8 instead; with
--away, the mail server is away for some seconds while 50 batches end. Prints tables.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from schemas.events import BatchSubmitted, Event, ImageClassified
from schemas.topics import BATCHES_SUBMITTED, IMAGES_CLASSIFIED
from services.local.folders import user_data_folder
from services.local.kafka.jars import ensure_jars
from services.runtime.kafka import Publisher, publisher
from tests.kafka_fixtures import running_kafka
from tests.reporter.smtp_sink import Sink, answering, sink_in_a_thread
from tests.reporter.world import Reporter, World, lines_of, new_batch, results_of, world_around
from tests.waiting import wait_for

WINDOW_SECONDS = 1.5
"""A mail that was accepted this short before a kill may come twice (M6, M7)."""


@dataclass(frozen=True)
class Plan:
    """What is done to the reporters, and with what input."""

    store: str = "memory://"
    kills: int = 30
    size: int = 250
    seed: int = 1
    pause_seconds: tuple[float, float] = (3.0, 10.0)
    lasts_seconds: float = 45.0
    """Of each batch, until its deadline; longer than it takes to start again and read on."""


@dataclass
class Outcome:
    """What was sent, and what came of it."""

    plan: Plan
    batches: list[BatchSubmitted] = field(default_factory=list)
    withheld: dict[str, set[int]] = field(default_factory=dict)
    kills: list[float] = field(default_factory=list)
    unmailed: list[str] = field(default_factory=list)
    twice_in_the_window: int = 0
    twice_outside: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    wrong_lines: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return not (self.unmailed or self.twice_outside or self.differing or self.wrong_lines)

    def judge(self, world: World) -> None:
        """Compare the mails with what was sent."""
        for submitted in self.batches:
            name = submitted.inference_id
            mails = [(moment, content) for moment, content in world.sink.mails if name.encode() in content]
            if not mails:
                self.unmailed.append(name)
                continue
            if len({content for _, content in mails}) > 1:
                self.differing.append(name)
            self._judge_doubles(name, [moment for moment, _ in mails])
            lines = {int(line["index"]): line["error_code"] for line in lines_of(mails[0][1])}
            late = {index for index, code in lines.items() if code == "timed_out"}
            if len(lines) != submitted.size or late != self.withheld.get(name, set()):
                self.wrong_lines.append(f"{name}: {len(lines)} lines, {len(late)} timed out")

    def _judge_doubles(self, name: str, moments: Sequence[float]) -> None:
        for moment in moments[:-1]:
            if any(0 <= kill - moment <= WINDOW_SECONDS for kill in self.kills):
                self.twice_in_the_window += 1
            else:
                self.twice_outside.append(name)

    def row(self) -> str:
        cells = (
            *(self.plan.store, len(self.kills), len(self.batches), self.plan.size, len(self.unmailed)),
            *(self.twice_in_the_window, len(self.twice_outside), len(self.differing), len(self.wrong_lines)),
            f"{self.seconds:.0f}",
        )
        return "| " + " | ".join(map(str, cells)) + " |"


COLUMNS = (
    *("store", "kills", "batches", "images each", "unmailed", "twice, in the window", "twice, outside"),
    *("differing", "wrong lines", "seconds"),
)
HEADER = "\n".join(["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)])


async def crash(world: World, plan: Plan) -> Outcome:
    """Kill reporters while batches come, then wait until all are mailed."""
    chance = random.Random(plan.seed)  # noqa: S311  # a run is to be repeatable
    outcome = Outcome(plan)
    began = time.monotonic()
    reporters = {name: world.start(name, state_store=plan.store) for name in ("one", "two")}
    for reporter in reporters.values():
        await asyncio.to_thread(reporter.wait_until_ready)
    async with publisher(world.bootstrap, 30, 30) as out, _feeding(out, plan, chance, outcome):
        for _ in range(plan.kills):
            await asyncio.sleep(chance.uniform(*plan.pause_seconds))
            await asyncio.to_thread(_start_again, world, reporters, plan, outcome)
            name = chance.choice(sorted(reporters))
            reporters[name] = await asyncio.to_thread(_killed, world, reporters[name], name, plan, outcome)
    await asyncio.to_thread(_start_again, world, reporters, plan, outcome)
    await asyncio.to_thread(_wait_for_mails, world, outcome)
    outcome.judge(world)
    outcome.seconds = time.monotonic() - began
    return outcome


def _start_again(world: World, reporters: dict[str, Reporter], plan: Plan, outcome: Outcome) -> None:
    """Start those that ended themselves, as whatever supervises them does."""
    for name, reporter in reporters.items():
        if reporter.process.poll() is not None:
            outcome.kills.append(time.time())
            reporters[name] = world.start(name, state_store=plan.store)


def _killed(world: World, victim: Reporter, name: str, plan: Plan, outcome: Outcome) -> Reporter:
    victim.kill()
    outcome.kills.append(time.time())
    return world.start(name, state_store=plan.store)


@asynccontextmanager
async def _feeding(out: Publisher, plan: Plan, chance: random.Random, outcome: Outcome) -> AsyncIterator[None]:
    stop = asyncio.Event()
    feeding = asyncio.create_task(_feed(out, plan, chance, outcome, stop))
    try:
        yield
    finally:
        stop.set()
        await feeding


async def _feed(out: Publisher, plan: Plan, chance: random.Random, outcome: Outcome, stop: asyncio.Event) -> None:
    """Send batches, the records of three at a time mixed with each other."""
    while not stop.is_set():
        group = [new_batch(plan.size, timedelta(seconds=plan.lasts_seconds)) for _ in range(3)]
        events = [event for submitted in group for event in _events_of(submitted, chance, outcome)]
        chance.shuffle(events)
        outcome.batches += group
        await _send(out, events, chance)
        await asyncio.sleep(chance.uniform(1.0, 4.0))


def _events_of(submitted: BatchSubmitted, chance: random.Random, outcome: Outcome) -> list[Event]:
    """The records of a batch, a fifth of them doubled; of every seventh batch some results never come."""
    results = results_of(submitted)
    if len(outcome.withheld) * 7 < len(outcome.batches):
        held = set(chance.sample(range(submitted.size), 3))
        outcome.withheld[submitted.inference_id] = held
        results = [result for result in results if result.index not in held]
    doubled = chance.sample(results, len(results) // 5)
    return [submitted, *results, *doubled]


async def _send(out: Publisher, events: Sequence[Event], chance: random.Random) -> None:
    for first in range(0, len(events), 100):
        piece = events[first : first + 100]
        await out.publish(IMAGES_CLASSIFIED, [event for event in piece if isinstance(event, ImageClassified)])
        await out.publish(BATCHES_SUBMITTED, [event for event in piece if isinstance(event, BatchSubmitted)])
        await asyncio.sleep(chance.uniform(0.0, 0.3))


def _wait_for_mails(world: World, outcome: Outcome) -> None:
    names = {submitted.inference_id for submitted in outcome.batches}

    def all_came() -> bool:
        world.start_again()
        return names <= world.sink.ids().keys()

    with suppress(AssertionError):  # what is missing stands in the table
        wait_for(all_came, "mails", 180, 0.3)  # which costs less than asking Kafka all the time
        world.wait_until_finished(names, 60)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--size", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stores", nargs="+", default=["memory://", "rocksdb://"])
    parser.add_argument("--steps", action="store_true", help="end a reporter at each step instead")
    parser.add_argument("--away", type=float, help="seconds for which the mail server is away instead")
    parser.add_argument("--kinds", nargs="+", default=["refuses", "drops"], help="what it does meanwhile")
    parser.add_argument("--keep", type=Path, help="folder for logs and states, instead of a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="huestream-crashes-", ignore_cleanup_errors=True) as temporary:
        folder = options.keep or Path(temporary)
        if options.away:
            return _away(folder, options)
        return _steps(folder) if options.steps else _kills(folder, options)


def _kills(folder: Path, options: argparse.Namespace) -> int:
    jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
    sys.stdout.write(HEADER + "\n")
    is_good = True
    for number, store in enumerate(options.stores):
        place = folder / str(number)
        place.mkdir(parents=True)
        with running_kafka(place / "kafka", jars) as kafka, world_around(kafka, place) as world:
            outcome = asyncio.run(crash(world, Plan(store, options.kills, options.size, options.seed)))
        sys.stdout.write(outcome.row() + "\n")
        for trouble in (*outcome.unmailed, *outcome.twice_outside, *outcome.differing, *outcome.wrong_lines):
            sys.stdout.write(f"{trouble}\n")
        sys.stdout.flush()
        is_good = is_good and outcome.is_good
    return 0 if is_good else 1


def _steps(folder: Path) -> int:
    from tests.reporter.test_failpoints import EXPECTED, mails_after_an_end_at  # noqa: PLC0415  # it needs pytest

    jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
    is_good = True
    sys.stdout.write("| ended at | mails | allowed |\n|---|---|---|\n")
    with running_kafka(folder / "kafka", jars) as kafka, world_around(kafka, folder) as world:
        for step, (least, most) in EXPECTED.items():
            count = mails_after_an_end_at(world, step)
            is_good = is_good and least <= count <= most
            sys.stdout.write(f"| {step} | {count} | {least} to {most} |\n")
            sys.stdout.flush()
    return 0 if is_good else 1


def _away(folder: Path, options: argparse.Namespace) -> int:
    jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
    sys.stdout.write("| the mail server | for s | batches | all mailed after s | mails | twice | slowest report, s |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|\n")
    is_good = True
    for kind in options.kinds:
        place = folder / kind
        place.mkdir(parents=True)
        with running_kafka(place / "kafka", jars) as kafka, world_around(kafka, place) as world:
            row, good = _mailed_after(world, options.away, drops=kind == "drops")
        sys.stdout.write(row + "\n")
        sys.stdout.flush()
        is_good = is_good and good
    return 0 if is_good else 1


def _mailed_after(world: World, seconds: float, *, drops: bool, count: int = 50) -> tuple[str, bool]:
    """Let batches end while the mail server is away; judge the mails after its return."""
    sink = Sink(answering({"data": None}))
    with sink_in_a_thread(sink) as port:
        pass
    began = time.monotonic()
    reporter = world.start(smtp_port=port, mail_retry_seconds=30)
    reporter.wait_until_ready()
    with ExitStack() as dropping:
        if drops:
            dropping.enter_context(sink_in_a_thread(sink, port))
        slowest = max(_seconds_to_report(world) for _ in range(count))
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    sink.say = answering({})
    with sink_in_a_thread(sink, port):
        back = time.monotonic()
        with suppress(AssertionError):
            wait_for(lambda: len(sink.ids()) >= count or None, "mails", 300)
        took = time.monotonic() - back
        time.sleep(5)  # a second one would come now
    ids = sink.ids()
    twice = sum(number > 1 for number in ids.values())
    what = "drops the link after the final dot" if drops else "refuses connections"
    row = f"| {what} | {seconds:.0f} | {count} | {took:.0f} | {len(ids)} | {twice} | {slowest:.1f} |"
    return row, len(ids) == count and not twice and took < 60


def _seconds_to_report(world: World) -> float:
    """Send a whole batch; seconds until its report is stored."""
    submitted = new_batch(20)
    began = time.monotonic()
    world.publish(submitted, *results_of(submitted))
    path = world.folder / "reports" / submitted.inference_id / "report.json"
    wait_for(lambda: path.exists() or None, "report", 60)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
