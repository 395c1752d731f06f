"""Pictures to measure speed on, made when they are needed: photos of the shared data at other sizes, or drawn ones."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FORMS: dict[str, tuple[str, tuple[int, int], dict[str, object]]] = {
    "JPEG 1000x1000": ("JPEG", (1000, 1000), {"quality": 92}),
    "progressive JPEG 1000x1000": ("JPEG", (1000, 1000), {"quality": 92, "progressive": True}),
    "PNG 1000x1000": ("PNG", (1000, 1000), {}),
    "WebP 1000x1000": ("WEBP", (1000, 1000), {"quality": 80}),
    "GIF 1000x1000": ("GIF", (1000, 1000), {}),
    "JPEG 4000x3000": ("JPEG", (4000, 3000), {"quality": 92}),
}
_GRAIN = 3.0
"""Standard deviation of the noise that a photo has and an enlarged one has lost, of 255."""


def photos(folder: Path, count: int) -> list[Image.Image]:
    """Open some photos of a folder, spread over it; draw them where there is none."""
    files = sorted(folder.glob("*.jpg"))
    if not files:
        return [_drawn(number) for number in range(count)]
    return [Image.open(file).convert("RGB") for file in files[:: max(1, len(files) // count)][:count]]


def encoded(originals: Sequence[Image.Image], form: str) -> list[bytes]:
    """Bring photos to a form: cropped to its shape, enlarged or reduced to its size, with the grain of a camera."""
    kind, size, options = FORMS[form]
    return [_saved(_grained(ImageOps.fit(photo, size)), kind, options) for photo in originals]


def _saved(image: Image.Image, kind: str, options: dict[str, object]) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def _grained(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(7).normal(0, _GRAIN, (image.height, image.width, 1)).astype(np.float32)
    pixels = np.asarray(image, dtype=np.float32)
    inside = pixels.min(axis=-1, keepdims=True) < 250  # a white backdrop is clean
    return Image.fromarray((pixels + noise * inside).clip(0, 255).astype(np.uint8))


def _drawn(number: int) -> Image.Image:
    """Draw a shaded disk on white."""
    down, right = np.mgrid[-1:1:800j, -1:1:800j]
    disk = down**2 + right**2 < 0.5
    color = np.array([40 + 25 * number % 200, 90, 200 - 20 * number % 180])
    shaded = color * (0.75 + 0.25 * np.sin(9 * right + 5 * down))[..., None]
    return Image.fromarray(np.where(disk[..., None], shaded, 255).astype(np.uint8))
