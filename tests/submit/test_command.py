"""The command as a process, against a fake endpoint."""

import asyncio
import csv
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.submit.fake_endpoint import FOUND, KEY, FakeEndpoint, fake_endpoint

CATALOG = """image_path,product_type,hex_color_label,category,custom_id
https://a.example/right.png,Shirt,#CC2222,Fashion,1
https://a.example/wrong.png,Dress,#2222CC,Fashion,=2+2
https://a.example/missing.png,Mug,#FFFFFF,Kitchen,3
"""
DEADLINE_SECONDS = 30


@pytest.fixture
async def fake() -> AsyncIterator[FakeEndpoint]:
    async with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.csv"
    path.write_text(CATALOG)
    return path


async def start(*words: str, key: str = KEY) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "submit", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HUESTREAM_API_KEY": key, "PYTHONWARNINGS": "error"},
    )


async def submit(*words: str, key: str = KEY) -> tuple[int, str, str]:
    process = await start(*words, key=key)
    said, told = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)
    return int(process.returncode or 0), said.decode(), told.decode()


async def test_a_catalog_comes_back_as_a_summary(fake: FakeEndpoint, catalog: Path) -> None:
    status, said, told = await submit(str(catalog), "--endpoint", fake.url)
    assert status == 0
    assert "3 images: 2 classified, 1 label differs from the image, 1 failed." in said
    assert FOUND in next(line for line in said.splitlines() if "Dress" in line)
    assert "fetch_http_status" in said
    assert "\x1b" not in said + told
    assert told.splitlines()[-1].startswith("3/3 images")


def rows_of(content: str, form: str) -> list[dict[str, str]]:
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content)))
    return list(json.loads(content if form == "json" else f"[{','.join(content.splitlines())}]"))


@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
async def test_the_results_are_written_in_the_order_of_the_catalog(
    fake: FakeEndpoint, catalog: Path, form: str
) -> None:
    output = catalog.with_name(f"results.{form}")
    status, _, _ = await submit(str(catalog), "--endpoint", fake.url, "--output", str(output))
    assert status == 0
    content = output.read_text("utf-8-sig")
    rows = rows_of(content, form)
    assert [row["custom_id"] for row in rows] == ["1", "'=2+2" if form == "csv" else "=2+2", "3"]
    assert [row["status"] for row in rows] == ["succeeded", "succeeded", "failed"]
    assert len({row["inference_id"] for row in rows}) == 1
    assert sorted(path.name for path in catalog.parent.iterdir()) == ["catalog.csv", output.name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "results.xlsx"], "results are written as .csv, .json, .ndjson"),
        (["--output", "nowhere/results.csv"], "name a file in a folder that exists"),
        (["--key", "hue_wrong"], "API key is invalid; give one that is valid with --key or HUESTREAM_API_KEY"),
    ],
)
async def test_what_cannot_be_is_one_sentence(fake: FakeEndpoint, catalog: Path, words: list[str], said: str) -> None:
    status, out, told = await submit(str(catalog), "--endpoint", fake.url, *words)
    assert (status, out) == (1, "")
    assert said in told
    assert "Traceback" not in told
    assert not fake.submissions


async def test_no_key_and_no_catalog_are_sentences_too(fake: FakeEndpoint, tmp_path: Path) -> None:
    assert "no API key" in (await submit("x.csv", "--endpoint", fake.url, key=""))[2]
    status, _, told = await submit(str(tmp_path / "none.csv"), "--endpoint", fake.url)
    assert (status, told.strip()) == (
        1,
        f"huestream: {tmp_path / 'none.csv'} cannot be read: No such file or directory",
    )


async def test_a_refused_batch_is_told_and_the_exit_status_shows_it(fake: FakeEndpoint, catalog: Path) -> None:
    fake.refusals.append((422, {}, {"message": "The Idempotency-Key was already used with another request body"}))
    status, said, _ = await submit(str(catalog), "--endpoint", fake.url)
    assert status == 1
    assert "3 images without a result: The Idempotency-Key was already used" in said


async def test_it_stops_cleanly_and_goes_on_with_the_same_batch(fake: FakeEndpoint, catalog: Path) -> None:
    fake.looks_until_done = 10_000
    process = await start(str(catalog), "--endpoint", fake.url)
    await asyncio.wait_for(fake.looked.wait(), DEADLINE_SECONDS)
    process.send_signal(signal.SIGINT)
    _, told = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)
    assert process.returncode == 130
    assert "the same command goes on where it was" in told.decode()
    assert "Traceback" not in told.decode()
    fake.looks_until_done = 1
    status, _, _ = await submit(str(catalog), "--endpoint", fake.url)
    assert status == 0
    assert len(fake.batches) == 1
