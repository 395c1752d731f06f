"""What a mistaken option of `huestream local` is answered with, before anything is started."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from services.local.command import configure


def local(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services", "local", "--data", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--port", "x", "argument --port: expected 0 to 65535"),
        ("--kafka-port", "65536", "argument --kafka-port: expected 0 to 65535"),
        ("--classifiers", "0", "argument --classifiers: expected 1 to 64"),
        ("--classifiers", "many", "argument --classifiers: expected 1 to 64"),
        ("--brokers", "2", "argument --brokers: invalid choice: 2 (choose from 1, 3)"),
        ("--allow-network", "10.0.0.1/8", "argument --allow-network: 10.0.0.1/8 has host bits set"),
    ],
)
def test_a_value_that_is_none_is_one_sentence(
    capsys: pytest.CaptureFixture[str], option: str, value: str, sentence: str
) -> None:
    parser = argparse.ArgumentParser(prog="huestream local")
    configure(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args([option, value])
    assert capsys.readouterr().err.splitlines()[-1] == f"huestream local: error: {sentence}"


@pytest.mark.parametrize("named", ["absent/ready.json", "folder"])
def test_a_ready_file_that_cannot_be_written_is_told_before_anything_starts(tmp_path: Path, named: str) -> None:
    (tmp_path / "folder").mkdir()
    done = local(tmp_path / "data", "--ready-file", str(tmp_path / named))
    assert done.returncode == 1
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith(f"huestream: the file {tmp_path / named} cannot be written: ")
    assert sentence.endswith("; name another one with --ready-file")


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = local(tmp_path / "file")
    assert done.stderr.splitlines() == [
        f"huestream: the folder {tmp_path / 'file'} cannot be used: Not a directory; name another one with --data"
    ]
