"""What an image costs a classifier, and what its neighbors cost it.

    python -m benchmarks.classifier [--images 2000] [--rounds 3] [--skip cost latency scale]

Cost: processor time of the consumer and its decoding processes for each image (1000 by 1000 pixels, baseline JPEG of
150 KB, from a host on loopback), against the least that could be done: fetch it with aiohttp, decode it at an eighth,
analyze it, in one process and with nothing around it. Both in turn, on the same machine, medians of the rounds.

Latency: from the sending of an image to its result, of customers that send one image after the other, alone and while
250 images of another customer hang.

Scale: images a second of one and of two consumers, each within a quota of processor time (cgroups), so that two fit
beside the broker and the image host. Needs the right to make a cgroup.
"""

import argparse
import asyncio
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import numpy as np
from PIL import Image

from schemas.events import ImageFields
from services.classifier.color import ANALYSIS_SIDE, analyze
from services.local.folders import user_data_folder
from services.local.kafka.jars import ensure_jars
from tests.classifier.hostile_images import LOOPBACK, processes_below
from tests.classifier.latency import Latencies, latencies
from tests.classifier.running import Results, Running, classifier, prepare, send, submitted
from tests.kafka_fixtures import running_kafka

SIDE = 1000
AT_ONCE = 32
SLICES = 10
WARM = 100
SHIRT = ImageFields(image_path="http://host.example/a.jpg", product_type="Shirt", hex_color_label="#C81E28")
QUOTA = 0.25
CGROUPS = Path("/sys/fs/cgroup/cpu")
STEPS = ("cost", "latency", "scale")


def photo(number: int) -> bytes:
    """A red square with texture on white paper, of about 150 KB."""
    chance = np.random.default_rng(number)
    small = chance.normal(0, 10, (50, 50, 3)) + 245
    small[12:38, 12:38] = chance.normal(0, 20, (26, 26, 3)) + np.array((200, 40, 50))
    image = Image.fromarray(small.clip(0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    grain = chance.normal(0, 8, (SIDE, SIDE, 1)) + np.asarray(image, dtype=float)
    content = io.BytesIO()
    Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=72)
    return content.getvalue()


def serve_photos() -> None:
    """Be an image host: a process of its own, whose time is nobody's here."""
    photos = [photo(number) for number in range(10)]
    answers = [
        b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)
        for content in photos
    ]

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                number += 1
                writer.write(answers[number % len(answers)])
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], sum(map(len, photos)) // len(photos), flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def image_host() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.classifier", "--host"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port, size = (process.stdout.readline() if process.stdout else "").split()
            print(f"photos of {int(size) / 1000:.0f} KB")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def least(url: str, images: int) -> None:
    """Fetch, decode at an eighth and analyze in this process; prints milliseconds of processor time an image."""

    async def one(session: aiohttp.ClientSession, free: asyncio.Semaphore) -> None:
        async with free, session.get(url) as response:
            content = await response.read()
        image = Image.open(io.BytesIO(content))
        image.draft("RGB", (ANALYSIS_SIDE, ANALYSIS_SIDE))
        analyze(np.asarray(image), product_type="Shirt", category=None, label="#C81E28")

    async def run() -> float:
        free = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(one(session, free) for _ in range(WARM)))
            began = time.process_time()
            await asyncio.gather(*(one(session, free) for _ in range(images)))
            return time.process_time() - began

    print(1000 * asyncio.run(run()) / images)


def least_milliseconds(url: str, images: int) -> float:
    command = [sys.executable, "-m", "benchmarks.classifier", "--least", url, "--images", str(images)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def processor_seconds(running: Running) -> float:
    """Of a process, of those that it started, and of those of them that have ended."""
    ticks = 0
    for process in processes_below(running.process.pid):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def through(servers: str, url: str, images: int) -> float:
    """Send images and wait for their results; gives seconds."""

    async def run() -> float:
        found = Results()
        run = uuid.uuid4()  # each URL is new: what repeats is not fetched again
        events = submitted([f"{url}/{run}/{number}.jpg" for number in range(images)], f"bench {run}")
        wanted = {(event["inference_id"], event["index"]) for event in events}
        reading = asyncio.create_task(found.read(servers, 10**9, 3600))
        await send(servers, events)
        began = time.monotonic()
        while not wanted <= found.results.keys():  # noqa: ASYNC110  # the reader fills it
            await asyncio.sleep(0.02)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return time.monotonic() - began

    return asyncio.run(run())


def show_cost(servers: str, folder: Path, images: int, rounds: int) -> None:
    """Compare in short rounds, each with the least before and after it: what else the machine does meets both."""
    each, ours, floors, ratios = max(100, images // SLICES), [], [], []
    with image_host() as url, classifier(servers, folder, **LOOPBACK, log_level="info") as running:
        through(servers, url, WARM)
        floors.append(least_milliseconds(f"{url}/a.jpg", each))
        for _ in range(rounds * SLICES):
            before = processor_seconds(running)
            through(servers, url, each)
            ours.append(1000 * (processor_seconds(running) - before) / each)
            floors.append(least_milliseconds(f"{url}/a.jpg", each))
            ratios.append(2 * ours[-1] / sum(floors[-2:]))
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"fetch, 1/8 decode, analysis    {statistics.median(floors):6.2f} ms of processor time an image")
    print(f"classifier with its decoder    {statistics.median(ours):6.2f} ms")
    print(f"                               {middle:6.2f} times the least, by {len(ratios)} rounds")
    print(f"                               {low:6.2f} to {high:.2f} in half of them")


def _list(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.2f}" for number in numbers)


def show_latency(servers: str, folder: Path) -> None:
    found = latencies(servers, folder)
    for name, seconds in (("alone", found.alone), ("beside 250 that hang", found.beside_hanging)):
        print(f"{name:24} p50 {1000 * statistics.median(seconds):6.1f} ms, p99 {1000 * Latencies.p99(seconds):6.1f} ms")


@contextmanager
def within_quota(running: Running) -> Iterator[None]:
    """Let a consumer and all that it starts use a share of one core."""
    group = CGROUPS / f"huestream-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text("50000")
        (group / "cpu.shares").write_text("50000")  # what else runs is not to take from the quota
        (group / "cpu.cfs_quota_us").write_text(str(int(QUOTA * 50_000)))
        for process in processes_below(running.process.pid):
            (group / "cgroup.procs").write_text(str(process))
        yield
    finally:
        for process in (group / "cgroup.procs").read_text().split():
            (CGROUPS / "cgroup.procs").write_text(process)
        group.rmdir()


def show_scale(servers: str, folder: Path, images: int, rounds: int) -> None:
    if not os.access(CGROUPS, os.W_OK):
        print("scale: not measured, there is no cgroup that may be made")
        return
    rates: dict[int, list[float]] = {1: [], 2: []}
    with image_host() as url:
        for _ in range(rounds):
            for count, seen in rates.items():
                with ExitStack() as stack:
                    for _ in range(count):
                        running = stack.enter_context(classifier(servers, folder, **LOOPBACK))
                        stack.enter_context(within_quota(running))
                    through(servers, url, WARM)
                    seen.append(images / through(servers, url, images))
    one, two = statistics.median(rates[1]), statistics.median(rates[2])
    print(f"one consumer, {QUOTA:.0%} of a core  {one:6.1f} images a second ({_list(rates[1])})")
    print(f"two consumers              {two:6.1f} images a second ({_list(rates[2])}), {two / one:.2f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip", nargs="*", choices=STEPS, default=())
    parser.add_argument("--host", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--least", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.host:
        return serve_photos()
    if given.least:
        return least(given.least, given.images)
    with tempfile.TemporaryDirectory(prefix="huestream-bench-", ignore_cleanup_errors=True) as name:
        jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
        with running_kafka(Path(name), jars) as kafka:
            asyncio.run(prepare(kafka.bootstrap))
            if "cost" not in given.skip:
                show_cost(kafka.bootstrap, Path(name), given.images, given.rounds)
            if "latency" not in given.skip:
                show_latency(kafka.bootstrap, Path(name))
            if "scale" not in given.skip:
                show_scale(kafka.bootstrap, Path(name), given.images // 4, given.rounds)
    return None


if __name__ == "__main__":
    main()
