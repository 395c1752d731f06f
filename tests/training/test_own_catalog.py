import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLORS = {"teal": (20, 110, 120), "burgundy": (105, 25, 45), "#F0E6CE": (240, 230, 206), "Grey": (140, 140, 142)}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None or importlib.util.find_spec("scipy") is None,
    reason="the dependency group `training` is not installed",
)


def catalog(folder: Path, count: int = 6) -> Path:
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "color", "product_type", "category"])
        for name, rgb in COLORS.items():
            for index in range(count):
                pixels = np.full((120, 90, 3), (90, 140, 90), dtype=np.uint8)
                pixels[20 + index : 100, 15:75] = rgb
                file_name = f"{name.strip('#')}-{index}.png"
                Image.fromarray(pixels).save(folder / file_name)
                rows.writerow([file_name, name, "Shirt", "Fashion"])
    return folder / "labels.csv"


def train(labels: Path, output: Path) -> subprocess.CompletedProcess[str]:
    work = output.parent / "work"
    command = [sys.executable, "-m", "training", "--labels", labels, "--work", work, "--output", output]
    return subprocess.run([*command, "--processes", "1"], capture_output=True, text=True, check=False)


def test_a_catalog_of_ones_own_makes_a_model_and_the_same_bytes_twice(tmp_path: Path) -> None:
    labels = catalog(tmp_path)
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    ran = train(labels, first)
    assert ran.returncode == 0, ran.stderr
    assert "after, on photos not learned from: 1.000" in ran.stdout
    assert train(labels, second).returncode == 0
    assert first.read_bytes() == second.read_bytes()


def test_a_color_that_nobody_knows_is_one_clear_sentence(tmp_path: Path) -> None:
    labels = catalog(tmp_path)
    labels.write_text(labels.read_text(encoding="utf-8").replace("burgundy", "blurple", 1), encoding="utf-8")
    ran = train(labels, tmp_path / "model.npz")
    assert ran.returncode == 2
    assert ran.stderr.startswith("training: labels.csv, line ")
    assert len(ran.stderr.splitlines()) == 1


def test_a_missing_photo_is_one_clear_sentence(tmp_path: Path) -> None:
    labels = catalog(tmp_path)
    (tmp_path / "teal-0.png").unlink()
    ran = train(labels, tmp_path / "model.npz")
    assert ran.returncode == 2
    assert "there is no file teal-0.png" in ran.stderr
