"""Every hostile host ends in its code, through a running classifier; and what a URL hides stays hidden."""

import asyncio
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from tests.classifier.hostile_hosts import HOSTS, host
from tests.classifier.hostile_images import LOOPBACK, peak_megabytes
from tests.classifier.running import classifier, prepare, results_of, send, submitted
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system

LIMITS = {
    "fetch_timeout_seconds": 4,
    "fetch_read_timeout_seconds": 2,
    "fetch_total_timeout_seconds": 6,
    "max_image_bytes": 100_000,
}
WAITED = 30
"""What a machine that does other things too may add; without a limit a host that hangs is waited for until the end."""
CODES = {"fetched": "image_unsupported_format"}  # `abc`, after all, is no image


@contextmanager
def hosts() -> Iterator[list[str]]:
    """Run all hosts, in a thread of their own, until the block ends; gives their URLs in order."""
    urls, begun, ending = list[str](), threading.Event(), asyncio.Event()
    loops = list[asyncio.AbstractEventLoop]()

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        async with AsyncExitStack() as stack:
            urls.extend([await stack.enter_async_context(host(speak)) for speak, _ in HOSTS])
            begun.set()
            await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))  # which ends what still speaks, too
    thread.start()
    try:
        assert begun.wait(30), "the hosts did not start"
        yield urls
    finally:
        loops[0].call_soon_threadsafe(ending.set)
        thread.join(30)


def test_each_hostile_host_ends_in_its_code_in_time_and_secrets_stay(kafka: RunningKafka, tmp_path: Path) -> None:
    asyncio.run(prepare(kafka.bootstrap))
    with hosts() as urls, classifier(kafka.bootstrap, tmp_path, **LOOPBACK, **LIMITS) as running:
        events = submitted([f"{url}/image.jpg?token=hidden-in-query" for url in urls], "hosts")
        asyncio.run(send(kafka.bootstrap, events))
        found = asyncio.run(results_of(kafka.bootstrap, len(events), only=events))
        ours = {(event["inference_id"], event["index"]): number for number, event in enumerate(events)}
        ends = {ours[key]: result.error.code if result.error else "succeeded" for key, result in found.results.items()}
        lines = [line for line in running.log_lines() if line["event"] == "image_classified"]
        [address] = [line["metrics"] for line in running.log_lines() if "metrics" in line]
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  # on loopback
            metrics = answer.read().decode()
        memory = peak_megabytes(running.process.pid)
    assert ends == {number: CODES.get(code, code) for number, (_, code) in enumerate(HOSTS)}
    assert max(line["seconds"] for line in lines) < LIMITS["fetch_total_timeout_seconds"] + WAITED
    texts = [result.error.message for result in found.results.values() if result.error]
    for shown in (running.log_path.read_text(), metrics, *texts):
        assert "hidden-in-query" not in shown
    assert memory < 300
