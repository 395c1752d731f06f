import subprocess
import sys
import warnings
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.classification import Classification
from services.classifier.color import Analysis, FullyTransparentError, analyze
from services.classifier.color.names import commerce_names
from services.classifier.color.photo import Bytes
from tests.classifier.color.drawing import WHITE, plain, product_on


def told(pixels: Bytes, product_type: str = "T-shirt", label: str | None = None) -> Analysis:
    return analyze(pixels, product_type=product_type, category="Fashion", label=label)


@pytest.mark.parametrize(
    ("color", "family"),
    [
        ((20, 20, 22), "black"),
        ((128, 128, 130), "gray"),
        ((200, 30, 40), "red"),
        ((40, 70, 160), "blue"),
        ((30, 120, 60), "green"),
        ((240, 210, 40), "yellow"),
        ((100, 65, 45), "brown"),
        ((110, 55, 145), "purple"),
        ((240, 120, 170), "pink"),
    ],
)
def test_a_clear_color_has_its_family(color: tuple[int, int, int], family: str) -> None:
    answer = told(product_on(WHITE, color))
    assert answer.primary.family == family
    assert np.abs(np.array(answer.primary.rgb) - color).max() <= 2
    assert answer.background.kind == "plain"
    assert answer.background.hex == "#FFFFFF"
    assert answer.pattern == "solid"


def test_the_background_is_not_the_product() -> None:
    assert told(product_on((40, 160, 70), (200, 30, 40))).primary.family == "red"


def test_the_primary_color_is_an_entry_of_the_palette() -> None:
    pixels = product_on(WHITE, (200, 30, 40))
    pixels[20:50, 16:68] = (30, 60, 160)
    answer = told(pixels)
    entry = next(entry for entry in answer.palette if entry.hex == answer.primary.hex)
    assert (entry.family, entry.name, entry.share) == (
        answer.primary.family,
        answer.primary.name,
        answer.primary.share,
    )


def test_palette_shares_are_shares_of_area() -> None:
    pixels = product_on(WHITE, (200, 30, 40))
    pixels[20:38, 16:68] = (30, 60, 160)
    assert [round(entry.share, 1) for entry in told(pixels, "Pillow").palette] == [0.8, 0.2]


def test_a_cut_out_is_told_by_its_alpha() -> None:
    pixels = np.dstack([product_on((10, 200, 30), (200, 30, 40)), np.zeros((112, 84), np.uint8)])
    pixels[20:92, 16:68, 3] = 255
    answer = told(pixels)
    assert answer.primary.family == "red"
    assert answer.background.kind == "transparent"
    assert answer.background.hex is None


def test_a_label_of_the_same_color_agrees() -> None:
    label = told(product_on(WHITE, (200, 30, 40)), label="#c81e28").label
    assert label is not None
    assert (label.verdict, label.delta_e_2000, label.hex) == ("agree", 0.0, "#C81E28")


def test_a_label_of_another_color_disagrees() -> None:
    answer = told(product_on(WHITE, (200, 30, 40)), label="#00F")
    assert answer.label is not None
    assert answer.label.verdict == "disagree"
    assert answer.label.suggested_hex == answer.primary.hex
    assert answer.needs_review
    assert "label_disagrees" in answer.review_reasons


def test_no_label_has_no_verdict() -> None:
    assert told(product_on(WHITE, (200, 30, 40))).label is None


def test_nothing_to_see_is_an_error_with_a_name() -> None:
    with pytest.raises(FullyTransparentError):
        told(plain((255, 0, 0, 0)))


def noise(height: int, width: int, channels: int = 3) -> Bytes:
    return np.random.default_rng(7).integers(0, 256, (height, width, channels), dtype=np.uint8)


ODD = {
    "one pixel": plain((200, 30, 40), (1, 1)),
    "one opaque pixel": np.pad(plain((200, 30, 40, 255), (1, 1)), ((3, 4), (5, 6), (0, 0))),
    "one color": plain((200, 30, 40)),
    "all white": plain(WHITE),
    "all black": plain((0, 0, 0)),
    "1 x 10000": noise(1, 10_000),
    "10000 x 1": noise(10_000, 1),
    "2 x 3": noise(2, 3),
    "3 x 3": noise(3, 3),
    "noise": noise(112, 84),
    "noise with alpha": noise(112, 84, 4),
    "gray ramp": np.repeat(np.linspace(0, 255, 112).astype(np.uint8)[:, None, None], 84, axis=1).repeat(3, axis=2),
    "large": noise(600, 500),
    "half transparent": plain((10, 20, 30, 127), (8, 8)) + np.array([0, 0, 0, 1], np.uint8),
}


@pytest.mark.parametrize("pixels", ODD.values(), ids=ODD)
@pytest.mark.parametrize("product_type", [None, "Jeans", "Watch", "Sofa"])
def test_odd_images_get_an_answer_that_the_contract_knows(pixels: Bytes, product_type: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = analyze(pixels, product_type=product_type, category=None, label="#ABC")
    checked = Classification.model_validate(asdict(answer))
    assert checked.model_dump() == asdict(answer)
    assert sum(entry.share for entry in answer.palette) == pytest.approx(1, abs=1e-3)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4]), st.integers(0, 2**32 - 1), st.integers(1, 255))
def test_any_pixels_get_an_answer(height: int, width: int, channels: int, seed: int, most: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, most + 1, (height, width, channels), dtype=np.uint8)
    try:
        answer = analyze(pixels, product_type="Dress", category=None, label="#123456")
    except FullyTransparentError:
        assert pixels[..., 3].max() < 128
        return
    assert Classification.model_validate(asdict(answer)).model_dump() == asdict(answer)


def test_the_given_pixels_are_not_changed() -> None:
    pixels = noise(50, 40)
    before = pixels.copy()
    told(pixels)
    assert (pixels == before).all()


SCRIPT = """
import numpy as np
from services.classifier.color import analyze
pixels = np.random.default_rng(7).integers(0, 256, (90, 70, 3), dtype=np.uint8)
print(analyze(pixels, product_type="Shirt", category=None, label="#123456"))
"""


def test_another_process_gives_the_same_bits() -> None:
    here = analyze(noise(90, 70), product_type="Shirt", category=None, label="#123456")
    there = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == str(here)
    assert not there.stderr


def test_every_family_has_names_that_shops_use() -> None:
    assert len(set(commerce_names().families)) == 12
    assert len(set(commerce_names().names)) == len(commerce_names().names)
