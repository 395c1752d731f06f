"""The demo as a user runs it."""

import signal
import subprocess
import sys
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from services.demo.offer import PRODUCTS, drawn
from tests.kafka_fixtures import put_formatted
from tests.stack_fixtures import csv_rows, shared_jars

pytestmark = pytest.mark.system


def demo(data: Path, *options: str) -> subprocess.Popen[str]:
    (data / "jars").symlink_to(shared_jars())
    command = [sys.executable, "-m", "services", "demo", "--data", str(data), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_demo_ends_with_the_mail_and_a_table_of_it(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        said, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    lines = said.splitlines()
    assert sum("error: " in line for line in lines) == 2
    assert [line.split()[0] for line in lines if "DIFFERS" in line] == ["handbag.jpg"]
    [mail] = [Path(line.removeprefix("mail:").strip()) for line in lines if line.startswith("mail:")]
    rows = csv_rows(message_from_bytes(mail.read_bytes(), policy=default))
    assert len(rows) == len(PRODUCTS) + 2
    assert mail.with_suffix(".html").is_file()
    assert "s from start to mail" in lines[-1]


def test_a_folder_of_photos_is_reported_with_a_line_for_each(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        (photos / f"{number}.jpg").write_bytes(drawn(PRODUCTS[number]))
    put_formatted(tmp_path / "kafka-1")
    with demo(tmp_path, "--photos", str(photos)) as process:
        said, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    [mail] = sorted((tmp_path / "mails").glob("*.eml"))
    assert len(csv_rows(message_from_bytes(mail.read_bytes(), policy=default))) == 3
    assert str(mail) in said


def test_ctrl_c_ends_the_demo_and_all_that_it_started(tmp_path: Path) -> None:
    put_formatted(tmp_path / "kafka-1")
    with demo(tmp_path) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("starting the services"):
                break
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert time.monotonic() - began < 16
    assert process.returncode == 130
    assert told.splitlines()[-1] == "huestream: stopped"


def test_a_folder_without_photos_ends_before_anything_is_started(tmp_path: Path) -> None:
    with demo(tmp_path, "--photos", str(tmp_path / "nowhere")) as process:
        said, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.startswith("huestream: the folder")
    assert said == ""
