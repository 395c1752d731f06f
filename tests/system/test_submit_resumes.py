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
from PIL import Image

from tests.stack_fixtures import Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.system

ROWS = 5_000
BATCHES = 20
IMAGES = 40


def write_catalog(folder: Path) -> Path:
    """Forty small pictures, each named by many rows."""
    for number in range(IMAGES):
        Image.new("RGB", (24, 24), (200, 6 * number, 60)).save(folder / f"{number}.png")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Photo", "product_type", "hex_color_label", "category", "custom_id"])
    writer.writerows([f"{row % IMAGES}.png", "Shirt", "#C81E28", "Fashion", f"row-{row}"] for row in range(ROWS))
    catalog = folder / "catalog.csv"
    catalog.write_text(text.getvalue())
    return catalog


def command(stack: Stack, catalog: Path) -> Sequence[str]:
    words = [
        "--column",
        "image_path=Photo",
        "--files",
        str(catalog.parent),
        "--output",
        str(catalog.parent / "out.json"),
    ]
    return [sys.executable, "-m", "services", "submit", str(catalog), "--endpoint", stack.ready()["endpoint"], *words]


def environment(stack: Stack) -> dict[str, str]:
    return os.environ | {"HUESTREAM_API_KEY": stack.ready()["api_key"]}


def inferences(stack: Stack) -> list[dict[str, object]]:
    """The last batches of 250 images; a page holds a hundred."""
    listed: list[dict[str, object]] = stack.call("/inferences?limit=100").body["inferences"]
    return [each for each in listed if each["request_item_count"] == ROWS // BATCHES]


@pytest.mark.parametrize("ending", [[signal.SIGKILL, signal.SIGINT]])
def test_no_row_is_lost_and_none_is_done_twice(stack: Stack, tmp_path: Path, ending: Sequence[signal.Signals]) -> None:
    catalog = write_catalog(tmp_path)
    before = len(inferences(stack))
    for number, end in enumerate(ending, start=1):
        process = subprocess.Popen(command(stack, catalog), env=environment(stack), stderr=subprocess.DEVNULL)
        wait_for(lambda: len(inferences(stack)) >= before + 3 * number or None, "batches", 60, pause_seconds=0.3)  # noqa: B023  # called at once
        process.send_signal(end)
        assert process.wait(20) in {-signal.SIGKILL, 130}
        assert not (tmp_path / "out.json").exists()
    done = subprocess.run(
        command(stack, catalog), env=environment(stack), capture_output=True, timeout=400, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "out.json").read_text())
    assert [row["custom_id"] for row in rows] == [f"row-{number}" for number in range(ROWS)]
    assert {row["status"] for row in rows} == {"succeeded"}
    assert len({row["inference_id"] for row in rows}) == BATCHES
    assert len(inferences(stack)) == before + BATCHES
