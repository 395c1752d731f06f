import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.color.ciede2000 import ciede2000
from services.classifier.color.cielab import lab_from_srgb, srgb_from_lab
from services.classifier.color.hexes import hex_of, rgb_from_hex, rgb_from_oklab
from services.classifier.color.oklab import oklab_from_oklch, oklab_from_srgb, oklch_from_oklab, srgb_from_oklab

TABLE = Path(__file__).with_name("sharma_2005.csv")
CHANNELS = st.tuples(*[st.integers(0, 255)] * 3)


def pairs() -> list[list[float]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [[float(cell) for cell in row] for row in list(csv.reader(file))[1:]]


def test_all_pairs_of_the_published_table_are_there() -> None:
    assert len(pairs()) == 34


@pytest.mark.parametrize("row", pairs())
def test_ciede2000_is_the_published_one(row: list[float]) -> None:
    first, second, published = np.array(row[:3]), np.array(row[3:6]), row[6]
    assert float(ciede2000(first, second)) == pytest.approx(published, abs=1e-4)
    assert float(ciede2000(second, first)) == pytest.approx(published, abs=1e-4)


@given(CHANNELS)
def test_a_color_does_not_differ_from_itself(rgb: tuple[int, int, int]) -> None:
    lab = lab_from_srgb(np.array(rgb) / 255)
    assert float(ciede2000(lab, lab)) == 0


@given(CHANNELS)
def test_oklab_and_back_is_the_same_color(rgb: tuple[int, int, int]) -> None:
    srgb = np.array(rgb) / 255
    assert np.allclose(srgb_from_oklab(oklab_from_srgb(srgb)), srgb, atol=1e-6)
    assert rgb_from_oklab(oklab_from_srgb(srgb)) == rgb


@given(CHANNELS)
def test_lab_and_back_is_the_same_color(rgb: tuple[int, int, int]) -> None:
    srgb = np.array(rgb) / 255
    assert np.allclose(srgb_from_lab(lab_from_srgb(srgb)), srgb, atol=1e-6)


@given(CHANNELS)
def test_oklch_and_back_is_the_same_color(rgb: tuple[int, int, int]) -> None:
    oklab = oklab_from_srgb(np.array(rgb) / 255)
    oklch = oklch_from_oklab(oklab)
    assert 0 <= oklch[2] < 360
    assert np.allclose(oklab_from_oklch(oklch), oklab, atol=1e-9)


@given(CHANNELS)
def test_a_hex_and_back_is_the_same_color(rgb: tuple[int, int, int]) -> None:
    assert rgb_from_hex(hex_of(rgb)) == rgb_from_hex(hex_of(rgb).lower()) == rgb


def test_short_hexes_are_read() -> None:
    assert rgb_from_hex("#aF0") == (0xAA, 0xFF, 0x00)


def test_white_is_neutral_in_every_space() -> None:
    assert np.allclose(lab_from_srgb(np.ones(3)), [100, 0, 0], atol=1e-3)
    assert np.allclose(oklab_from_srgb(np.ones(3)), [1, 0, 0], atol=1e-6)
