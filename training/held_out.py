"""What the classifier says of photos that it did not learn from, for benchmarks to judge."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from services.classifier.color.analyzing import answer_of, product_histogram, reading_of, view_of
from services.classifier.color.model import Model
from services.classifier.color.oklab import Floats
from services.classifier.decoding import decode
from training.catalogs import Example
from training.seeing import MAX_PIXELS


def write_held_out(examples: Sequence[Example], probabilities: Floats, learned: Model, path: Path) -> None:
    """Write a line of JSON for each photo: its set and file, and the answer with its held-out probabilities (n, 12)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for example, held_out in zip(examples, probabilities, strict=True):
            file.write(json.dumps(_line(example, held_out, learned)) + "\n")


def _line(example: Example, held_out: Floats, learned: Model) -> dict[str, object]:
    view = view_of(decode(example.path.read_bytes(), MAX_PIXELS), example.kind)
    label = example.hexes[0] if example.hexes else None
    reading = reading_of(product_histogram(view, learned), example.kind, learned, label)
    answer = answer_of(view, replace(reading, probabilities=held_out), learned)
    return {"image_path": f"{example.dataset}/{example.path.name}", "classification": asdict(answer)}
