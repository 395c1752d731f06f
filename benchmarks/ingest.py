"""What the endpoint costs, on a real Kafka.

    python benchmarks/ingest.py [--bootstrap-servers HOST:PORT] [--batches 1500] [--streams 200]

Processor time is that of the endpoint's process alone. The baseline is the least that such an endpoint could do:
aiohttp reads the same body, pydantic validates it, and a reply of the same size goes back. Both take turns, under the
same clients: the endpoint as fast as it goes, the baseline as often a second as the endpoint has answered, since a
process that is asked more often has warmer caches; and, as the harder measure, as fast as it goes, too. Times are
medians, with the quartiles of the rounds. Without --bootstrap-servers, a broker is started, from the jars in the user's
data folder.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from pydantic import TypeAdapter

from schemas.events import ApiKey, BatchSubmitted, InferenceStatus
from schemas.topics import API_KEYS, TOPICS
from services.ingest.inferences import Inferences
from services.ingest.validation import InvalidBodyError, RequestedImage, in_pieces, read_images
from services.local.folders import user_data_folder
from services.local.kafka.jars import ensure_jars
from services.local.kafka.java import find_java
from services.local.kafka.node import Node, broker_command, java_command, prepare_nodes, wait_until_ready
from services.local.leash import leashed
from services.local.ports import free_ports
from services.runtime.api_keys import new_secret
from services.runtime.kafka import Record, publisher
from services.runtime.topic_admin import topic_admin

SUBMIT = "/inference/color-classification"
AT_ONCE = 4
SINGLE = 300
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.1
ROUNDS = 15
"""Of the baseline and the endpoint in turns, so that what else the machine does meets both."""
BODY = json.dumps(
    [
        {
            "image_path": f"https://cdn.shop.example/images/products/{index:06d}/front-large.jpg?v=3",
            "product_type": "Sneakers",
            "hex_color_label": "#FE2934",
            "category": "Fashion",
            "custom_id": f"SKU-{index}",
        }
        for index in range(250)
    ]
).encode()
_ITEM = {"image_path": "https://a.example/1", "product_type": "a", "hex_color_label": "#fff", "category": "b"}
SLOW_BODIES = (
    b"[" + b"0," * 149_000 + b"0]",
    b"[" + b'"some",' * 149_000 + b"0]",
    b"[" + b"[]," * 49_000 + b"[]]",
    b"[{" + b",".join(b'"%x":0' % number for number in range(29_000)) + b"}]",
    b"[" + b"1.2345678901234567e300," * 90_000 + b"0]",
    b"[" + b",".join([b"9" * 4_200] * 70) + b"]",
    b'["' + b"\\n" * 1_040_000 + b'"]',
    b'["' + b"\\ud83d\\ude00" * 170_000 + b'"]',
    json.dumps(["\N{BLACK STAR}" * 690_000], ensure_ascii=False).encode(),
    b"[" + b",".join([b'{"image_path":"' + b"x" * 8_000 + b'"}'] * 250) + b"]",
    json.dumps([_ITEM | {"image_path": "https://a.example/" + "é" * 2_000}] * 249 + [{}], ensure_ascii=False).encode(),
    json.dumps([_ITEM | {"category": "\x01" * 1_200}] * 250).encode(),
    b"[" + b"0," * 290_000 + b"0]",
    b"[" + b"[]," * 140_000 + b"[]]",
    b"[" + b"9" * 2_000_000 + b"]",
    b"[" * 2_000_000,
)
"""Up to 2 MiB, and made to be slow: just within what is parsed at all, or refused for what it seems to be."""


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """Run one broker in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="huestream-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        java = java_command(folder, find_java(), ensure_jars(user_data_folder() / "jars", lambda *_: None))
        node = Node(1, *free_ports([0, 0]), folder / "node-1")
        await prepare_nodes(folder, [node], java)
        command, quiet = leashed(broker_command(node, java)), subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        try:
            await wait_until_ready([node], 60)
            yield f"127.0.0.1:{node.port}"
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 15)


@asynccontextmanager
async def served(command: list[str], environment: dict[str, str]) -> AsyncIterator[tuple[str, int]]:
    """Run a server that says in a JSON line where it listens; gives its URL and process id.

    Its log goes to a file, as that of `huestream local`: it would wait for a pipe that is read by who measures.
    """
    with tempfile.NamedTemporaryFile(suffix=".log") as said:
        process = await asyncio.create_subprocess_exec(*command, stdout=said, env=os.environ | environment)
        try:
            async with asyncio.timeout(_START_SECONDS):
                url = await _url_in(Path(said.name), process)
            yield url, process.pid
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _url_in(log: Path, process: asyncio.subprocess.Process) -> str:
    while not (url := _told(log)):
        if process.returncode is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}; its error is above")
        await asyncio.sleep(_LOOK_SECONDS)
    return url


def _told(log: Path) -> str | None:
    complete = log.read_text().rpartition("\n")[0]
    return next((line["url"] for line in map(json.loads, complete.splitlines()) if "url" in line), None)


def processor_seconds(pid: int) -> float:
    """Read the clock of a process, which counts what all its threads do (Linux: clock_getcpuclockid)."""
    return time.clock_gettime(~pid << 3 | 2)


async def submit(session: aiohttp.ClientSession, url: str, key: str) -> float:
    began = time.perf_counter()
    headers = {"x-vody-api-key": key, "Content-Type": "application/json"}
    async with session.post(url + SUBMIT, data=BODY, headers=headers) as reply:
        content = await reply.read()
        if reply.status != 200:
            raise RuntimeError(content.decode())
    return time.perf_counter() - began


async def cost(url: str, pid: int, key: str, batches: int, rate: float | None = None) -> tuple[float, float]:
    """Measure milliseconds of processor time for a batch, and batches a second, when the process is warm.

    Each client sends its next batch when the last one is answered; with a rate, when it is due.
    """
    async with aiohttp.ClientSession() as session:

        async def some(count: int, pause: float) -> None:
            due = time.perf_counter()
            for _ in range(count):
                await submit(session, url, key)
                due += pause
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

        await some(8, 0)
        before, began = processor_seconds(pid), time.perf_counter()
        pause = AT_ONCE / rate if rate else 0.0
        await asyncio.gather(*(some(batches // AT_ONCE, pause) for _ in range(AT_ONCE)))
        spent, seconds = processor_seconds(pid) - before, time.perf_counter() - began
    done = batches // AT_ONCE * AT_ONCE
    return 1000 * spent / done, done / seconds


async def p99(url: str, key: str, batches: int) -> float:
    async with aiohttp.ClientSession() as session:
        times = [await submit(session, url, key) for _ in range(batches)]
    return 1000 * statistics.quantiles(times, n=100)[98]


@asynccontextmanager
async def streaming(url: str, key: str, streams: int) -> AsyncIterator[None]:
    """Hold event streams, each of a batch of its own, read as fast as they come."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        headers = {"x-vody-api-key": key}

        async def listen(inference_id: str, begun: asyncio.Event) -> None:
            timeout = aiohttp.ClientTimeout(total=None)
            async with session.get(f"{url}/inference/{inference_id}/events", headers=headers, timeout=timeout) as reply:
                reply.raise_for_status()
                async for _ in reply.content:
                    begun.set()

        async def one_more() -> tuple[asyncio.Task[None], asyncio.Event]:
            async with session.post(url + SUBMIT, data=BODY, headers=headers) as reply:
                inference_id = (await reply.json())["inference_id"]
            begun = asyncio.Event()
            return asyncio.create_task(listen(inference_id, begun)), begun

        listeners = [await one_more() for _ in range(streams)]
        for _, begun in listeners:
            await begun.wait()
        try:
            yield
        finally:
            for task, _ in listeners:
                task.cancel()
            await asyncio.gather(*(task for task, _ in listeners), return_exceptions=True)


def validation_milliseconds() -> float:
    times = []
    for _ in range(200):
        began = time.process_time()
        read_images(BODY)
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times)


def slowest_piece_milliseconds() -> float:
    """Refuse bodies that are made to be slow; returns the processor time of the slowest piece of this work."""
    return max(map(_piece_milliseconds, SLOW_BODIES))


def _piece_milliseconds(body: bytes) -> float:
    return 1000 * statistics.median(max(piece_seconds(body)) for _ in range(11))


def piece_seconds(body: bytes) -> Iterator[float]:
    """Give the seconds of processor time that each piece of the validation of a body takes."""
    work, is_done = in_pieces(body, lenient=False, buckets=()), False
    while not is_done:
        began = time.thread_time()
        try:
            next(work)
        except (InvalidBodyError, StopIteration):
            is_done = True
        yield time.thread_time() - began


def megabytes_of_100_000() -> float:
    """Fold 100,000 finished inferences of ten keys, as a replica does."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    known, now, record = Inferences(), datetime.now(UTC), Record("t", 0, 0, None, None)
    for number in range(100_000):
        inference_id, at = f"3f0c9a52-8f0e-4d0b-9a54-{number:012}", now + timedelta(seconds=number)
        shared = {"inference_id": inference_id, "key_id": f"key{number % 10}", "size": 250}
        times = {"submitted_at": at, "deadline_at": at}
        known.fold_batch(record, BatchSubmitted(**shared, **times, fingerprint=f"{number:064}"))
        times = {"created_at": at, "updated_at": at + timedelta(seconds=1), "finished_at": at + timedelta(seconds=1)}
        status = {"state": "completed", "succeeded": 250, "failed": 0, "expires_at": at + timedelta(days=30)}
        known.fold_status(record, InferenceStatus(**shared, **times, **status))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def serve_baseline() -> None:
    validated = TypeAdapter(list[RequestedImage])

    async def least(request: web.Request) -> web.Response:
        validated.validate_json(await request.read())
        return web.json_response({"message": "m" * 70, "inference_id": "i" * 36, "model": "color-classification"})

    async def run() -> None:
        app = web.Application(client_max_size=1 << 21)
        app.router.add_post(SUBMIT, least)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


async def prepare(servers: str) -> str:
    secret = new_secret()
    key = ApiKey(key_id=secret.key_id, owner="bench", secret_sha256=secret.sha256, created_at=datetime.now(UTC))
    async with topic_admin(servers) as admin:
        await admin.create(TOPICS, 1)
    async with publisher(servers, 30, 30) as out:
        await out.publish(API_KEYS, [key])
    return secret.text


def _times(rounds: Sequence[Sequence[float]], baseline: int) -> str:
    found = sorted(each[2] / each[baseline] for each in rounds)
    return f"{statistics.median(found):.2f} times ({found[len(found) // 4]:.2f} to {found[-len(found) // 4]:.2f})"


async def measure(servers: str | None, batches: int, streams: int) -> None:
    async with AsyncExitStack() as stack:
        servers = servers or await stack.enter_async_context(broker())
        key = await prepare(servers)
        store = stack.enter_context(tempfile.TemporaryDirectory())
        no_limits = {f"HUESTREAM_{name}_PER_MINUTE": "1000000000" for name in ("REQUESTS", "IMAGES", "READS")}
        settings = {"HUESTREAM_BOOTSTRAP_SERVERS": servers, "HUESTREAM_REPORT_STORE": store}
        settings |= {"HUESTREAM_HOST": "127.0.0.1", "HUESTREAM_PORT": "0", "HUESTREAM_TOPIC_REPLICAS": "1"} | no_limits
        url, pid = await stack.enter_async_context(served([sys.executable, "-m", "services", "ingest"], settings))
        least_url, least_pid = await stack.enter_async_context(served([sys.executable, __file__, "--baseline"], {}))
        rounds = []
        for _ in range(ROUNDS):
            least = await cost(least_url, least_pid, key, batches // ROUNDS)
            ours = await cost(url, pid, key, batches // ROUNDS)
            rounds.append((least[0], (await cost(least_url, least_pid, key, batches // ROUNDS, ours[1]))[0], *ours))
        at_full, at_rate, spent, rate = map(statistics.median, zip(*rounds, strict=True))
        print(f"baseline, as often a second   {at_rate:6.2f} ms of processor time a batch of 250")
        print(f"baseline, as fast as it goes  {at_full:6.2f} ms")
        print(f"accepted batch                {spent:6.2f} ms, {_times(rounds, 1)} the first")
        print(f"                              {_times(rounds, 0)} the second")
        print(f"                              {1000 / spent:6.0f} batches a second and core; {rate:.0f} seen")
        alone = await p99(url, key, SINGLE)
        async with streaming(url, key, streams):
            beside = await p99(url, key, SINGLE)
        print(f"p99 of a submit               {alone:6.1f} ms alone, {beside:.1f} ms beside {streams} event streams")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap-servers")
    parser.add_argument("--batches", type=int, default=1500)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--baseline", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.baseline:
        serve_baseline()
        return
    print(f"validation of 250 images      {validation_milliseconds():6.2f} ms of processor time")
    print(f"slowest piece of a body       {slowest_piece_milliseconds():6.1f} ms of processor time: others wait for it")
    print(f"memory of 100,000 inferences  {megabytes_of_100_000():6.0f} MB")
    asyncio.run(measure(arguments.bootstrap_servers, arguments.batches, arguments.streams))


if __name__ == "__main__":
    main()
