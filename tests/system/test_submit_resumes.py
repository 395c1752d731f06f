"""`huestream submit` of 5,000 rows, killed twice and started again: every row has its result, none was done twice."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.image_host import TEXT, image_host
from tests.stack_fixtures import Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.system

ROWS = 5_000
BATCHES = 20
PICTURES = 50
"""Every so-many-th row has a picture; the others have a text, which costs the classifiers next to nothing."""


def write_catalog(folder: Path, host: str) -> Path:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Photo", "product_type", "hex_color_label", "category", "custom_id"])
    images = [f"{host}/{row}.jpg" if row % PICTURES == 0 else f"{host}{TEXT}?{row}" for row in range(ROWS)]
    writer.writerows([image, "Shirt", "#C81E28", "Fashion", f"row-{row}"] for row, image in enumerate(images))
    catalog = folder / "catalog.csv"
    catalog.write_text(text.getvalue())
    return catalog


def command(stack: Stack, catalog: Path) -> Sequence[str]:
    words = ["--column", "image_path=Photo", "--output", str(catalog.parent / "out.json")]
    return [sys.executable, "-m", "services", "submit", str(catalog), "--endpoint", stack.ready()["endpoint"], *words]


def environment(stack: Stack) -> dict[str, str]:
    return os.environ | {"HUESTREAM_API_KEY": stack.ready()["api_key"]}


def inferences(stack: Stack) -> list[dict[str, object]]:
    """The last batches of 250 images; a page holds a hundred."""
    listed: list[dict[str, object]] = stack.call("/inferences?limit=100").body["inferences"]
    return [each for each in listed if each["request_item_count"] == ROWS // BATCHES]


def kill_when_three_more_are_accepted(stack: Stack, catalog: Path, end: signal.Signals) -> None:
    before = len(inferences(stack))
    process = subprocess.Popen(command(stack, catalog), env=environment(stack), stderr=subprocess.DEVNULL)
    wait_for(lambda: len(inferences(stack)) >= before + 3 or None, "batches", 60, pause_seconds=0.3)
    process.send_signal(end)
    assert process.wait(20) in {-signal.SIGKILL, 130}
    assert not (catalog.parent / "out.json").exists()


def test_no_row_is_lost_and_none_is_done_twice(stack: Stack, tmp_path: Path) -> None:
    with image_host() as host:
        catalog = write_catalog(tmp_path, host.url)
        before = len(inferences(stack))
        for end in (signal.SIGKILL, signal.SIGINT):
            kill_when_three_more_are_accepted(stack, catalog, end)
        done = subprocess.run(
            command(stack, catalog), env=environment(stack), capture_output=True, timeout=400, check=False, text=True
        )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "out.json").read_text())
    assert [row["custom_id"] for row in rows] == [f"row-{number}" for number in range(ROWS)]
    outcomes = [row["error"]["code"] if row["error"] else row["status"] for row in rows]
    assert outcomes == ["image_unsupported_format" if row % PICTURES else "succeeded" for row in range(ROWS)]
    assert len({row["inference_id"] for row in rows}) == BATCHES
    assert len(inferences(stack)) == before + BATCHES
