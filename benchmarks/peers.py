"""Open tools for the same question, each called as its own documentation shows: bytes in, colors out, heaviest first.

A tool that refuses a photo gave no color. OpenCV brings k-means only: the rest is the recipe that tutorials share
(256 pixels, k = 5), with a fixed seed.
"""

import io
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from pathlib import Path

import colorthief
import cv2
import fast_colorthief
import numpy as np
import pylette
from color_sets import Photo

Rgb = tuple[int, int, int]
WHITE = 235
"""A color whose channels are all at least this is what the filter takes for the backdrop."""


def _fast_colorthief(content: bytes) -> list[Rgb]:
    return fast_colorthief.get_palette(io.BytesIO(content), 5, 10)


def _colorthief(content: bytes) -> list[Rgb]:
    return colorthief.ColorThief(io.BytesIO(content)).get_palette(5, 10)


def _pylette(content: bytes, mode: str = "KMeans") -> list[Rgb]:
    return [color.rgb for color in pylette.extract_colors(content, palette_size=5, mode=mode)]


def _opencv(content: bytes) -> list[Rgb]:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    scale = min(1.0, 256 / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    cv2.setRNGSeed(0)
    _, labels, centers = cv2.kmeans(small.astype(np.float32), 5, None, stop, 3, cv2.KMEANS_PP_CENTERS)
    heaviest = np.argsort(-np.bincount(labels.ravel(), minlength=5), kind="stable")
    return [tuple(round(float(channel)) for channel in centers[index][::-1]) for index in heaviest]


PEERS: dict[str, tuple[str, Callable[[bytes], list[Rgb]]]] = {
    "fast-colorthief": ("fast-colorthief", _fast_colorthief),
    "colorthief": ("colorthief", _colorthief),
    "Pylette": ("Pylette", _pylette),
    "OpenCV k-means": ("opencv-python", _opencv),
}


def colors_of(peer: str, content: bytes) -> list[Rgb]:
    """Ask a peer; an image that it refuses has no colors."""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return [tuple(int(channel) for channel in color) for color in PEERS[peer][1](content)]
    except Exception:  # noqa: BLE001  # a tool's own errors are its answer
        return []


def past_white(colors: Sequence[Rgb]) -> list[Rgb]:
    """The filter that a user would write: drop what looks like a white backdrop, if something is left."""
    return [color for color in colors if min(color) < WHITE] or list(colors)


def answers(peer: str, photos: Iterable[Photo], cache: Path) -> dict[str, list[Rgb]]:
    """Ask a peer about photos, about each once for each version of the peer."""
    store = cache / f"{peer.replace(' ', '-')}-{version(PEERS[peer][0])}.json"
    known: dict[str, list[Rgb]] = json.loads(store.read_text()) if store.exists() else {}
    asked = {photo.key: colors_of(peer, photo.file.read_bytes()) for photo in photos if photo.key not in known}
    if asked:
        known |= asked
        store.parent.mkdir(parents=True, exist_ok=True)
        store.write_text(json.dumps(known))
    return known
