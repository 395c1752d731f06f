"""What it costs to be watched: processor time of metrics, logs and traces, and how many series there are.

    python -m benchmarks.observability [overhead] [cardinality] [scrapes] [--images 1000] [--rounds 5]

Overhead: processor time of a consumer for each image (1000 by 1000 pixels, from a host on loopback), without metrics
and logs (their calls do nothing), with them, and with tracing of 1 % of the images beside; in turn, and the median of
the differences of each round, as a share of the whole time of an image, decoding included. Decoding itself is not
watched, and its time would only add noise. What happens once, as the first connection to the collector, is over by
then. And what the calls of one image take, called alone.

Cardinality: the series of each service after one batch of one key with one image host, and after 1,000 batches of
1,000 keys with 1,000 hosts and as many product types.

Scrapes: processor time a second of an idle classifier, and of one whose metrics are asked for 100 times a second.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.classifier import WARM, image_host, processor_seconds
from schemas.events import ApiKey, ImageClassified
from schemas.topics import API_KEYS
from services.classifier import main as classifier_main
from services.classifier import metrics
from services.local.folders import user_data_folder
from services.local.kafka.jars import ensure_jars
from services.runtime.api_keys import new_secret
from services.runtime.kafka import publisher
from services.runtime.lag import age_seconds
from services.runtime.logs import configure_logs
from services.runtime.tracing import Untraced
from tests.classifier.hostile_images import LOOPBACK
from tests.classifier.running import Results, Running, classifier, prepare, send, submitted
from tests.collector import Collector, collector
from tests.image_host import image_host as small_host
from tests.kafka_fixtures import running_kafka
from tests.stack_fixtures import Stack, start_stack
from tests.waiting import wait_for

STEPS: Final = ("overhead", "cardinality", "scrapes")
MANY: Final = 1000
SCRAPES: Final = 100
"""How often a second the metrics are asked for."""
SAMPLED: Final = 100
"""One of so many images is traced."""
OWN_MODULE: Final = "benchmarks.observability"
EXAMPLE: Final = Path(__file__).parents[1] / "schemas/examples/image.classified.v1.json"


def run_bare_classifier() -> int:
    """Be a classifier whose metrics do nothing."""

    def nothing(*_: object, **__: object) -> None:
        return None

    for kind in (Counter, Gauge, Histogram):
        for name in ("inc", "dec", "set", "observe", "set_to_current_time"):
            if hasattr(kind, name):
                setattr(kind, name, nothing)
        for name in ("time", "track_inprogress"):
            if hasattr(kind, name):
                setattr(kind, name, lambda *_: nullcontext())
    metrics.count_answer = metrics.count_outcome = nothing
    classifier_main.configure_logs = lambda *told: Quiet(configure_logs(*told))
    return classifier_main.run()


class Quiet:
    """A log that says nothing of images."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def bind(self, **_: object) -> "Quiet":
        return self

    def info(self, event: str, **told: object) -> None:
        if event != "image_classified":
            self._log.info(event, **told)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


@dataclass(frozen=True)
class Variant:
    """A classifier that is watched in one way."""

    name: str
    settings: Mapping[str, object]
    module: str = "services"
    is_traced: bool = False


@dataclass(frozen=True)
class Host:
    """Where the images are, and where the spans go."""

    url: str
    collecting: Collector


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time for each image."""

    consumer: float
    with_decoder: float


def own_seconds(running: Running) -> float:
    """Of the consumer with all its threads, without its decoders."""
    threads = Path(f"/proc/{running.process.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def through(servers: str, url: str, images: int, *, is_traced: bool) -> None:
    """Send images, of which some are traced, and wait for their results."""

    async def run() -> None:
        name = uuid.uuid4()
        events = submitted([f"{url}/{name}/{number}.jpg" for number in range(images)], f"bench {name}")
        wanted = {(event["inference_id"], event["index"]) for event in events}
        found = Results()
        reading = asyncio.create_task(found.read(servers, 10**9, 3600))
        traced = events[::SAMPLED] if is_traced else []
        await send(servers, [event for event in events if event not in traced])
        if traced:
            await send(servers, traced, traceparent=f"00-{name.hex}-00f067aa0ba902b7-01")
        while not wanted <= found.results.keys():  # noqa: ASYNC110  # the reader fills it
            await asyncio.sleep(0.05)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    asyncio.run(run())


def cost(servers: str, folder: Path, host: Host, images: int, variant: Variant) -> Cost:
    url, arrived = host.url, len(host.collecting.spans)
    with classifier(servers, folder, module=variant.module, **LOOPBACK, **variant.settings) as running:
        through(servers, url, WARM, is_traced=variant.is_traced)
        if variant.is_traced:
            wait_for(lambda: len(host.collecting.spans) > arrived or None, "first spans")
        own, whole = own_seconds(running), processor_seconds(running)
        through(servers, url, images, is_traced=variant.is_traced)
        own, whole = own_seconds(running) - own, processor_seconds(running) - whole
    return Cost(1000 * own / images, 1000 * whole / images)


def show_overhead(servers: str, folder: Path, images: int, rounds: int) -> None:
    with image_host() as url, collector() as collecting:
        variants = [
            Variant("neither metrics nor logs", {}, OWN_MODULE),
            Variant("metrics and logs", {}),
            Variant("and 1 % traced", {"otlp_endpoint": collecting.url}, is_traced=True),
        ]
        found: dict[str, list[Cost]] = {variant.name: [] for variant in variants}
        for _ in range(rounds):
            for variant in variants:
                found[variant.name].append(cost(servers, folder, Host(url, collecting), images, variant))
    bare, watched, traced = found.values()
    whole = statistics.median(each.with_decoder for each in bare)
    for name, costs in found.items():
        print(f"{name:26} {statistics.median(each.consumer for each in costs):6.3f} ms of the consumer an image")
    print(f"{'with decoding':26} {whole:6.3f} ms")
    for name, before, after, most in (("metrics and logs", bare, watched, 3), ("tracing 1 %", watched, traced, 5)):
        shares = [100 * (b.consumer - a.consumer) / whole for a, b in zip(before, after, strict=True)]
        rounds_shown = ", ".join(f"{share:.1f}" for share in shares)
        print(f"{name:26} {statistics.median(shares):6.2f} % of an image (at most {most}; rounds: {rounds_shown})")
    alone = calls_of_one_image()
    print(f"{'the calls alone':26} {alone * 1e6:6.1f} us, {alone * 1e5 / whole:.2f} % of an image")
    print(f"{'spans that arrived':26} {len(collecting.spans):6}")


def calls_of_one_image(times: int = 20_000) -> float:
    """Call what one image calls, and nothing else; gives seconds."""
    event, tracer = ImageClassified.model_validate_json(EXAMPLE.read_text()), Untraced()
    assert event.classification is not None  # noqa: S101  # the example succeeded
    with Path("/dev/null").open("w") as nowhere:
        before, sys.stdout = sys.stdout, nowhere
        log = configure_logs("classifier", "info")
        began = time.process_time()
        for _ in range(times):
            metrics.TAKEN.observe(age_seconds(event.classified_at, datetime.now(UTC)))
            with metrics.IN_FLIGHT.track_inprogress(), tracer.span("classify", None):
                bound = log.bind(inference_id=event.inference_id, index=event.index)
                with metrics.FETCH_SECONDS.time(), tracer.span("fetch", None):
                    metrics.FETCHED_BYTES.inc(150_000)
                with tracer.span("decode", None):
                    metrics.DECODER_WAIT_SECONDS.observe(0.001)
                    metrics.DECODE_SECONDS.observe(0.01)
                with metrics.PUBLISH_SECONDS.time(), tracer.span("publish", None):
                    pass
                metrics.count_outcome("succeeded")
                metrics.CLASSIFIED.observe(age_seconds(event.classified_at, datetime.now(UTC)))
                metrics.count_answer(event.classification)
                bound.info("image_classified", outcome="succeeded", seconds=0.0123)
        seconds = time.process_time() - began
        sys.stdout = before
    return seconds / times


def series_of(stack: Stack) -> dict[str, set[str]]:
    """The series of each service: a sample's name and its labels."""

    async def read() -> dict[str, set[str]]:
        async with aiohttp.ClientSession() as session:
            texts = {name: await text_of(session, url) for name, url in stack.ready()["metrics"].items()}
        return {
            name: {
                f"{sample.name}{sorted(sample.labels.items())}"
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }
            for name, text in texts.items()
        }

    return asyncio.run(read())


async def text_of(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as reply:
        return await reply.text()


async def issue_keys(servers: str, count: int) -> list[str]:
    secrets, now = [new_secret() for _ in range(count)], datetime.now(UTC)
    keys = [
        ApiKey(key_id=each.key_id, owner=f"Shop {each.key_id}", secret_sha256=each.sha256, created_at=now)
        for each in secrets
    ]
    async with publisher(servers, 30, 30) as out:
        await out.publish(API_KEYS, keys)
    return [each.text for each in secrets]


def images_of(number: int, host: str) -> list[dict[str, Any]]:
    """One image that is there, and one of a host of its own, which refuses the connection."""
    urls = f"{host}/{number}.jpg", f"http://127.1.{number // 250}.{number % 250 + 1}:9/{number}.jpg"
    return [
        {
            "image_path": url,
            "product_type": f"Product {number}",
            "hex_color_label": "#C81E28",
            "category": f"Category {number}",
        }
        for url in urls
    ]


async def submit_all(stack: Stack, keys: Sequence[str], host: str) -> list[str]:
    endpoint, free = f"{stack.ready()['endpoint']}/inference/color-classification", asyncio.Semaphore(16)

    async def submit(number: int, key: str) -> str:
        async with free, session.post(endpoint, json=images_of(number, host), headers={"x-vody-api-key": key}) as reply:
            answer = await reply.json()
            if reply.status != 200:
                raise RuntimeError(answer)
            return str(answer["inference_id"])

    async with aiohttp.ClientSession() as session:
        return await asyncio.gather(*(submit(number, key) for number, key in enumerate(keys)))


def wait_until_reported(stack: Stack, ids: Sequence[str], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    reports = Path(stack.ready()["report_dir"])
    while missing := sum(not (reports / each / "report.json").exists() for each in ids):
        if time.monotonic() > deadline:
            sys.exit(f"{missing} of {len(ids)} batches were not reported within {seconds:g} s")
        time.sleep(0.5)


def show_cardinality(folder: Path) -> None:
    stack = start_stack(folder / "stack")
    try:
        with small_host() as host:
            first = stack.submit(images_of(0, host.url)).body["inference_id"]
            wait_until_reported(stack, [first])
            time.sleep(15)  # lags are measured and pages asked for by then
            before = series_of(stack)
            keys = asyncio.run(issue_keys(stack.ready()["bootstrap_servers"], MANY))
            time.sleep(2)
            wait_until_reported(stack, asyncio.run(submit_all(stack, keys, host.url)))
            after = series_of(stack)
    finally:
        stack.stop()
    print(f"series after one batch, and after {MANY:,} of {MANY:,} keys with {MANY:,} hosts and product types")
    for name, found in after.items():
        print(f"{name:12} {len(before[name]):5} {len(found):5}   new: {json.dumps(sorted(found - before[name]))}")


@contextmanager
def measured(running: Running, tell: Callable[[float], None]) -> Iterator[float]:
    """Tell the share of a core that the consumer takes until the block ends; gives when it began."""
    began, own = time.monotonic(), own_seconds(running)
    yield began
    tell((own_seconds(running) - own) / (time.monotonic() - began))


def show_scrapes(servers: str, folder: Path, seconds: float = 15.0) -> None:
    shares: list[float] = []
    with classifier(servers, folder, **LOOPBACK) as running:
        [started] = [line for line in running.log_lines() if line["event"] == "started"]
        with measured(running, shares.append):
            time.sleep(seconds)
        with measured(running, shares.append) as began:
            asyncio.run(scrape(started["metrics"], round(seconds * SCRAPES)))
            reached = seconds * SCRAPES / (time.monotonic() - began)
    print(f"idle {shares[0]:.1%} of a core; with {reached:.0f} scrapes a second {shares[1]:.1%}")


async def scrape(url: str, count: int) -> None:
    """Ask at equal distances; after an answer that took longer, the next questions come sooner."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session:
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / SCRAPES - time.monotonic()))
            await text_of(session, url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)} (default: all)")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    steps = given.steps or STEPS
    with tempfile.TemporaryDirectory(prefix="huestream-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if "cardinality" in steps:
            show_cardinality(folder)
        if {"overhead", "scrapes"} & set(steps):
            jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
            with running_kafka(folder, jars) as kafka:
                asyncio.run(prepare(kafka.bootstrap))
                if "scrapes" in steps:
                    show_scrapes(kafka.bootstrap, folder)
                if "overhead" in steps:
                    show_overhead(kafka.bootstrap, folder, given.images, given.rounds)


if __name__ == "__main__":
    if sys.argv[1:] == ["classifier"]:
        sys.exit(run_bare_classifier())
    main()
