"""Images in buckets, on a store that speaks S3: what the operator named is read, and nothing else."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.classifier.bucket_images import bucket_images
from services.classifier.fetching import Fetcher, fetcher
from services.classifier.memory import Memory
from services.classifier.problems import FetchProblem
from services.classifier.settings import ClassifierSettings
from services.runtime.logs import configure_logs
from services.runtime.settings import SettingsError
from tests.classifier.hostile_hosts import host, redirect, say
from tests.classifier.hostile_images import LOOPBACK
from tests.classifier.running import classifier, prepare, results_of, send, submitted
from tests.commands import variables
from tests.image_host import jpeg
from tests.kafka_fixtures import RunningKafka
from tests.object_stores import CREDENTIALS, object_store, put

LOG = configure_logs("test", "error")
CONTENTS = {
    "shop/public/a.jpg": b"image",
    "shop/public/of all/Größe 42%20.jpg": b"odd name",
    "shop/public/large.jpg": bytes(20_001),
    "shop/public-not/a.jpg": b"secret",
    "shop/reports/a.json": b"secret",
    "other/a.jpg": b"secret",
    "whole/a.jpg": jpeg((200, 30, 40)),
}
FOLDERS = "s3://shop/public, s3://whole"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with object_store(CONTENTS) as url:
        yield url


def settings(endpoint: str, **changes: object) -> ClassifierSettings:
    given = {
        "environment": "development",
        "allow_networks": "127.0.0.0/8",
        "image_buckets": FOLDERS,
        "image_buckets_endpoint": endpoint,
        "max_image_bytes": 20_000,
        "fetch_read_timeout_seconds": 5,
    }
    return ClassifierSettings.model_validate(given | changes)


@asynccontextmanager
async def images(endpoint: str, **changes: object) -> AsyncIterator[Fetcher]:
    given = settings(endpoint, **changes)
    async with fetcher(given, buckets=await bucket_images(given, LOG)) as found:
        yield found


async def problem(found: Fetcher, path: str) -> FetchProblem:
    with pytest.raises(FetchProblem) as caught:
        await found.fetch(path, Memory(1_000_000).lease("one"))
    return caught.value


async def test_an_object_is_named_as_it_is_and_read_whole(store: str) -> None:
    async with images(store) as found:
        for path in ("shop/public/a.jpg", "shop/public/of all/Größe 42%20.jpg", "whole/a.jpg"):
            memory = Memory(1_000_000)
            with memory.lease("one") as lease:
                assert (await found.fetch(f"s3://{path}", lease)).content == CONTENTS[path]
                assert memory.free_bytes == 1_000_000 - len(CONTENTS[path])


@pytest.mark.parametrize(
    "path",
    [
        "s3://other/a.jpg",
        "s3://shop/reports/a.json",
        "s3://shop/public-not/a.jpg",
        "s3://shop/public/../reports/a.json",
        "s3://shop/public/./a.jpg",
        "s3://shop/public//a.jpg",
        "s3://shop/public/",
        "s3://shop/public",
        "s3://whole/",
        "s3://whole",
        "s3://SHOP/public/a.jpg",
        "S3://shop/public/a.jpg",
        "gs://shop/public/a.jpg",
        "s3://user@shop/public/a.jpg",
        "s3://shop:80/public/a.jpg",
        "s3a://shop/public/a.jpg",
        "file:///etc/passwd",
        "memory:///a",
    ],
)
async def test_nothing_else_is_read(store: str, path: str) -> None:
    async with images(store) as found:
        assert (await problem(found, path)).code == "fetch_blocked_address"


async def test_no_way_leads_from_the_web_into_a_bucket(store: str) -> None:
    async with images(store) as found, host(say(redirect("s3://whole/a.jpg"))) as url:
        assert (await problem(found, url)).code == "fetch_blocked_address"


async def test_without_a_bucket_of_the_operator_there_is_none(store: str) -> None:
    async with images(store, image_buckets="", image_buckets_endpoint=None) as found:
        assert (await problem(found, "s3://whole/a.jpg")).code == "fetch_blocked_address"


async def test_what_is_not_there_or_too_large_is_told_as_of_the_web(store: str) -> None:
    async with images(store) as found:
        missing = await problem(found, "s3://shop/public/none.jpg?key=secret")
        assert (missing.code, missing.message) == (
            "fetch_http_status",
            "The image's bucket answered with status 404",
        )
        assert (await problem(found, "s3://shop/public/large.jpg")).code == "image_too_large"


async def test_a_known_object_is_asked_about_by_its_tag(store: str) -> None:
    lease = Memory(1_000_000).lease("one")
    put(store, "whole/kept.jpg", b"one", Cache_Control="max-age=60")
    async with images(store) as found:
        first = await found.fetch("s3://whole/kept.jpg", lease)
        assert first.freshness.any_seconds == 60
        again = await found.fetch("s3://whole/kept.jpg", lease, etag=first.freshness.etag)
        assert again.is_unchanged
        put(store, "whole/kept.jpg", b"two")
        assert (await found.fetch("s3://whole/kept.jpg", lease, etag=first.freshness.etag)).content == b"two"


class OddStore:
    """A store that answers each question with the next of its answers, and hangs where there is none."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", *answers]  # of the look at the start
        self.asked = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            if self.answers:
                writer.write(self.answers.pop(0).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                await writer.drain()
            else:
                await reader.read()
        finally:
            writer.close()


HEAD = (
    b"HTTP/1.1 200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b'Content-Type: image/jpeg\r\nETag: "a"\r\nContent-Length: '
)
BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("answers", "code", "asked"),
    [
        ([BUSY, HEAD + b"5\r\n\r\nimage"], "fetched", 2),
        ([HEAD + b"9\r\n\r\nimage", HEAD + b"5\r\n\r\nimage"], "fetched", 2),
        ([BUSY] * 3, "fetch_http_status", 3),
        ([b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"], "fetch_http_status", 1),
        ([HEAD + b"30000\r\n\r\n"], "image_too_large", 1),
        ([], "fetch_timeout", 1),
        ([b"garbage\r\n\r\n"] * 3, "fetch_failed", 3),
    ],
)
async def test_a_store_that_does_not_do_its_work_is_one_named_problem(
    answers: list[bytes], code: str, asked: int
) -> None:
    odd = OddStore(*answers)
    server = await asyncio.start_server(odd.connected, "127.0.0.1", 0)
    limits = {"fetch_read_timeout_seconds": 2, "fetch_total_timeout_seconds": 3 if code == "fetch_timeout" else 20}
    async with server, asyncio.timeout(30):
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with images(endpoint, image_buckets="s3://whole", **limits) as found:
            try:
                await found.fetch("s3://whole/a.jpg", Memory(1_000_000).lease("one"))
                seen = "fetched"
            except FetchProblem as caught:
                seen = caught.code
    assert seen == code
    assert odd.asked >= 1 + asked


async def test_a_bucket_that_is_not_there_is_refused_at_the_start(store: str) -> None:
    sentence = "HUESTREAM_IMAGE_BUCKETS: s3://none/ cannot be read: the store answered with status 404 (NoSuchBucket)."
    with pytest.raises(SettingsError, match=f"^{re.escape(sentence)}$"):
        await bucket_images(settings(store, image_buckets="s3://whole, s3://none"), LOG)


def test_wrong_credentials_end_the_start_in_one_sentence(kafka: RunningKafka) -> None:
    asyncio.run(prepare(kafka.bootstrap))
    with object_store({"whole/a.jpg": b"image"}, checks_credentials=True) as url:
        given = {"bootstrap_servers": kafka.bootstrap, "topic_replicas": 1, "image_buckets": "s3://whole"}
        environment = CREDENTIALS | variables(given)
        command = [sys.executable, "-m", "services", "classifier"]
        done = subprocess.run(
            command,
            env=environment | {"HUESTREAM_IMAGE_BUCKETS_ENDPOINT": url},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("huestream: HUESTREAM_IMAGE_BUCKETS: s3://whole/ cannot be read: the store answered with")
    assert "InvalidAccessKeyId" in line
    assert "AKIATEST" not in line


@pytest.mark.system
def test_images_of_a_bucket_go_through_a_running_classifier(kafka: RunningKafka, store: str, tmp_path: Path) -> None:
    asyncio.run(prepare(kafka.bootstrap))
    paths = ["s3://whole/a.jpg", "s3://whole/none.jpg", "s3://other/a.jpg", "s3://shop/reports/a.json"]
    events = submitted(paths, "bucket")
    with classifier(
        kafka.bootstrap, tmp_path, **LOOPBACK, image_buckets=FOLDERS, image_buckets_endpoint=store
    ) as running:
        asyncio.run(send(kafka.bootstrap, events))
        found = asyncio.run(results_of(kafka.bootstrap, len(events), only=events))
        lines = running.log_path.read_text()
    ends = {result.image_path: result.error.code if result.error else "succeeded" for result in found.results.values()}
    blocked = "fetch_blocked_address"
    assert ends == dict(zip(paths, ["succeeded", "fetch_http_status", blocked, blocked], strict=True))
    assert "secret" not in lines
    assert "hidden" not in lines
    assert all(json.loads(line) for line in lines.splitlines())
