"""The second look: only where an answer is not sure, and only kept where it is surer."""

import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.classifier.classifying import analysis_of
from services.classifier.color import Analysis, analyze
from services.classifier.decoders import decoders
from services.classifier.refine_model import RefineModelError, check_refine_model
from services.classifier.refining import Mask, Pixels, is_unsure
from services.classifier.settings import ClassifierSettings
from services.runtime.settings import SettingsError

PIXELS = 1_000_000
has_runtime = importlib.util.find_spec("onnxruntime") is not None


@dataclass(frozen=True)
class Said:
    product_type: str | None = "Mug"
    category: str | None = None
    hex_color_label: str | None = None


def png(pixels: Pixels) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def white_on_white() -> tuple[Pixels, Mask]:
    """Draw a mug of the backdrop's white with a red dot; gives it and where the mug is."""
    pixels = np.full((100, 100, 3), 255, np.uint8)
    figure = np.zeros((100, 100), np.bool_)
    figure[10:90, 10:90] = True
    pixels[figure] = (243, 243, 243)
    pixels[20:38, 20:38] = (200, 30, 40)
    return pixels, figure


def large_red() -> Pixels:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[15:85, 15:85] = (200, 30, 40)
    return pixels


class Finder:
    def __init__(self, figure: Mask) -> None:
        self.asked: list[tuple[int, ...]] = []
        self._figure = figure

    def __call__(self, pixels: Pixels) -> Mask:
        self.asked.append(pixels.shape)
        return self._figure


def test_a_sure_answer_is_not_looked_at_twice() -> None:
    finder = Finder(np.zeros((100, 100), np.bool_))
    content = png(large_red())
    assert analysis_of(Said(), content, PIXELS, finder) == analysis_of(Said(), content, PIXELS)
    assert finder.asked == []


@pytest.mark.parametrize("part", [slice(0, 18), slice(14, 40)])
def test_where_little_is_seen_the_photo_is_looked_at_twice_and_the_surer_answer_is_kept(part: slice) -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[10:34, 10:22] = (200, 30, 40)
    pixels[10:34, 22:34] = (90, 110, 60)
    figure = np.zeros((100, 100), np.bool_)
    figure[part, 22:34] = True
    finder = Finder(figure)
    first = analysis_of(Said(), png(pixels), PIXELS)
    second = _analysis(pixels, figure)
    assert is_unsure(first)
    told = analysis_of(Said(), png(pixels), PIXELS, finder)
    assert finder.asked == [(100, 100, 3)]
    assert told == max(first, second, key=lambda analysis: analysis.confidence)
    assert first != second


def test_a_figure_decides_what_is_counted() -> None:
    pixels, figure = white_on_white()
    dot = np.zeros_like(figure)
    dot[20:38, 20:38] = True
    assert _analysis(pixels, figure & ~dot).primary.family == "white"
    assert _analysis(pixels, dot).primary.family == "red"


def _analysis(pixels: Pixels, figure: Mask) -> Analysis:
    return analyze(pixels, product_type="Mug", category=None, label=None, figure=figure)


def test_a_figure_that_holds_nothing_breaks_nothing() -> None:
    pixels, figure = white_on_white()
    assert analysis_of(Said(), png(pixels), PIXELS, Finder(np.zeros_like(figure))).primary.family


def test_a_file_that_is_not_the_model_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"no model")
    sentence = "is not u2netp.onnx" if has_runtime else r"install huestream\[refine\]"
    with pytest.raises(RefineModelError, match=sentence):
        check_refine_model(other)


async def test_a_classifier_says_what_is_wrong_with_its_model_before_it_starts(tmp_path: Path) -> None:
    settings = ClassifierSettings.model_validate({"refine_model": tmp_path / "none.onnx"})
    with pytest.raises(SettingsError, match=r"^HUESTREAM_REFINE_MODEL: .*\.$"):
        async with decoders(settings):
            pass
