"""The command as a process."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.results import ResultItem
from services.analyze.analyzing import LocalItem
from tests.analyze.photos import photo
from tests.shared_data import shared
from tests.waiting import wait_for

COMMAND = (sys.executable, "-m", "services", "analyze")
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error"}
DEADLINE_SECONDS = 120
ONE_PROCESS = ("--processes", "1")
"""Where their number is not the point: each loads all that finds colors, which takes longer than a few images."""


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=DEADLINE_SECONDS
    )


def items(text: str) -> list[LocalItem]:
    return [LocalItem.model_validate_json(line) for line in text.splitlines()]


def test_files_become_lines_in_their_order_errors_included(tmp_path: Path) -> None:
    good, text = photo(tmp_path / "good.jpg"), tmp_path / "text.jpg"
    text.write_text("no image")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    done = analyze(good, "missing.jpg", text, tmp_path, broken, good)
    assert (done.returncode, done.stderr) == (0, "")
    found = items(done.stdout)
    assert [item.error.code if item.error else None for item in found] == [
        *(None, "fetch_failed", "image_unsupported_format", "fetch_failed", "image_corrupt", None)
    ]
    assert [item.index for item in found] == list(range(6))
    assert found[1].image_path == "missing.jpg"
    assert found[0].classification == found[5].classification


def test_one_line_has_all_members_that_a_result_has(tmp_path: Path) -> None:
    done = analyze(photo(tmp_path / "shirt.png"), "--product-type", "Shirt")
    [line] = done.stdout.splitlines()
    assert list(json.loads(line)) == list(ResultItem.model_fields)
    assert json.loads(line)["product_type"] == "Shirt"


def test_a_manifest_is_echoed_and_its_labels_are_compared(tmp_path: Path) -> None:
    photo(tmp_path / "1.png")
    (tmp_path / "manifest.csv").write_text(
        "image_path,product_type,hex_color_label,category\n1.png,Mug,#C22,Kitchen\n1.png,,,\n"
    )
    output = tmp_path / "colors.jsonl"
    done = analyze("--manifest", tmp_path / "manifest.csv", "--output", output, *ONE_PROCESS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    first, second = items(output.read_text())
    assert (first.image_path, first.product_type, first.hex_color_label, first.category) == (
        *("1.png", "Mug", "#C22", "Kitchen"),
    )
    assert first.classification
    assert first.classification.label
    assert second.classification
    assert second.classification.label is None


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "name image files, or a manifest with --manifest"),
        (["a.jpg", "--manifest", "m.csv"], 2, "one of the two"),
        (["--manifest", "m.csv", "--product-type", "Mug"], 2, "a manifest has a column for it"),
        (["a.jpg", "--processes", "0"], 2, "expected 1 to 256 processes"),
        (["--manifest", "none.csv"], 1, "huestream: none.csv cannot be read: No such file or directory\n"),
        (["a.jpg", "--output", "no/where.jsonl"], 1, "no/where.jsonl cannot be written: No such file or directory\n"),
        (["a.jpg", "--output", "/dev/full"], 1, "/dev/full cannot be written: No space left on device\n"),
    ],
)
def test_what_cannot_be_is_one_sentence(words: list[str], status: int, said: str) -> None:
    done = analyze(*words)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_cannot_be_used_is_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    path, output = photo(tmp_path / "1.png"), tmp_path / "colors.jsonl"
    done = analyze(path, "--refine", tmp_path / "none.onnx", "--output", output)
    assert (done.returncode, output.exists()) == (1, False)
    assert done.stderr.startswith("huestream: --refine: ")
    assert len(done.stderr.splitlines()) == 1


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    path = photo(tmp_path / "1.png")
    before = path.read_bytes()
    done = analyze(path, "--output", path)
    assert (done.returncode, path.read_bytes()) == (1, before)
    assert "is one of the inputs; name another file" in done.stderr


def test_lines_are_utf_8_in_any_locale() -> None:
    done = subprocess.run(
        [*COMMAND, "café.jpg"], capture_output=True, check=True, env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    )
    assert json.loads(done.stdout)["image_path"] == "café.jpg"


def test_the_help_says_what_goes_in_and_what_comes_out() -> None:
    said = analyze("--help").stdout
    for word in ("image_path", "product_type", "hex_color_label", "category", "exit status", "--output", "--refine"):
        assert word in said


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    path = photo(tmp_path / "1.png")
    process = subprocess.Popen(
        [*COMMAND, *[path] * 300, *ONE_PROCESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(DEADLINE_SECONDS) == 1
    assert process.stderr
    with process.stderr as told:
        assert told.read() == b"huestream: the reader of the output went away before all lines were written\n"


def test_ctrl_c_leaves_whole_lines_and_no_process(tmp_path: Path) -> None:
    path = photo(tmp_path / "1.png")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("image_path\n" + f"{path}\n" * 20_000)
    process = subprocess.Popen(
        [*COMMAND, "--manifest", manifest, "--processes", "2"],
        bufsize=0,  # `communicate` passes over what a buffer of ours holds
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        process_group=0,
    )
    assert process.stdout
    first = process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    said, told = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130
    assert told == b"\nhuestream: stopped; the lines that were written are whole\n"
    assert len(items((first + said).decode())) < 20_000
    wait_for(lambda: not _is_any_left(process.pid), "end of its processes")


def _is_any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_odd_file_of_the_corpus_becomes_a_line_and_nothing_is_said(tmp_path: Path) -> None:
    files = sorted(path for path in shared("image-corpus").rglob("*") if path.is_file())
    output = tmp_path / "colors.jsonl"
    done = analyze(*files, "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    found = items(output.read_text())
    codes = {item.error.code for item in found if item.error}
    assert len(found) == len(files)
    assert codes <= {"image_corrupt", "image_unsupported_format", "image_too_many_pixels", "image_fully_transparent"}


def test_progress_is_shown_on_a_terminal_and_only_there(tmp_path: Path) -> None:
    path, output = photo(tmp_path / "1.png"), tmp_path / "colors.jsonl"
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        subprocess.run(
            [*COMMAND, path, "none.jpg", "--output", output, *ONE_PROCESS],
            stderr=theirs,
            check=True,
            env=ENVIRONMENT,
            timeout=DEADLINE_SECONDS,
        )
        shown = screen.read(10_000).decode()
        os.close(theirs)
    assert "2/2 images, 1 failed" in shown
    assert len(output.read_text().splitlines()) == 2
