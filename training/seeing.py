"""The pixels of every labeled photo that the analysis takes for the product, kept between runs."""

import hashlib
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from services.classifier.color.analyzing import view_of
from services.classifier.color.photo import Bytes, Singles
from services.classifier.color.places import place_of
from services.classifier.decoding import decode
from training.catalogs import Example

MAX_PIXELS: Final = 50_000_000


@dataclass(frozen=True, eq=False)
class Seen:
    """Product pixels of one photo: colors (n, 3), place in the map of 16 x 16 (n), weight by part (n)."""

    rgb: Bytes
    place: Bytes
    weight: Singles


def see(example: Example) -> Seen:
    """Decode a photo and find its product, as the service does."""
    view = view_of(decode(example.path.read_bytes(), MAX_PIXELS), example.kind)
    mask = view.product.mask
    return Seen(view.photo.rgb[mask], place_of(mask).astype(np.uint8), view.product.weight[mask])


def see_all(examples: Sequence[Example], work: Path, processes: int) -> list[Seen]:
    """Find the products of all photos, or read what an earlier run with the same code kept."""
    kept = work / f"seen-{_fingerprint(examples)}.pickle"
    if kept.exists():
        found: list[Seen] = pickle.loads(kept.read_bytes())  # noqa: S301 - written by the lines below
        return found
    with ProcessPoolExecutor(processes) as pool:
        made = list(pool.map(see, examples, chunksize=32))
    work.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps(made, protocol=5))
    return made


def _fingerprint(examples: Sequence[Example]) -> str:
    """Identify the photos and the code that finds products in them."""
    digest = hashlib.sha256("\n".join(f"{example.path} {example.kind.group}" for example in examples).encode())
    for source in sorted(_SOURCES.glob("*.py")) + sorted(_SOURCES.glob("parts*.npz")):
        if source.stem in _SEEING:
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


_SOURCES: Final = Path(__file__).parents[1] / "services" / "classifier" / "color"
_SEEING: Final = frozenset({"photo", "background", "flood", "gradient", "parts", "product", "places", "groups"})
