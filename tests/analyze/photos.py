"""Drawn photos, and ways for a process to end."""

import os
import signal
from pathlib import Path

from PIL import Image

from services.analyze.analyzing import Line, line_of
from services.analyze.images import LocalImage


def photo(path: Path, color: str = "#CC2222", size: tuple[int, int] = (60, 60)) -> Path:
    image = Image.new("RGB", size, "white")
    image.paste(color, (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))
    image.save(path)
    return path


def dies_of_some(index: int, image: LocalImage) -> Line:
    """Analyze, but die of each file that is called so."""
    if "deadly" in image.image_path:
        os.kill(os.getpid(), signal.SIGKILL)
    return line_of(index, image)
