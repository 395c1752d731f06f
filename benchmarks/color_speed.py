"""What an answer costs: its stages and the whole, against the least that any tool must do, and against open tools.

    python benchmarks/color_speed.py --data ../shared/color-dev

CPU time of one thread (`process_time`), all variants in turn in one process, so that a machine that slows down slows
them all. The floor is Pillow's decoding of a JPEG at 1/8 of its size. Only ratios travel to other machines.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from color_stages import CATEGORY, LABEL, PRODUCT_TYPE, Variant, stages
from goals import Measure, goals_table, table
from peers import PEERS
from pictures import FORMS, encoded, photos
from PIL import Image

from services.analyze.images import LocalImage
from services.classifier.answers import analyze_bytes
from services.classifier.decoding import decode
from services.classifier.settings import MAX_IMAGE_PIXELS

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
BASELINE, PROGRESSIVE, LARGE = "JPEG 1000x1000", "progressive JPEG 1000x1000", "JPEG 4000x3000"
PEERS_EVERY = 5
"""Rounds between two turns of the peers, which take most of the time."""
IMAGE = LocalImage(Path(), "", PRODUCT_TYPE, LABEL, CATEGORY)
Milliseconds = dict[tuple[str, str], list[float]]
"""By form and variant: one figure for each call."""


def floor(content: bytes) -> object:
    image = Image.open(BytesIO(content))
    image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    return image.load()


def decoded(content: bytes) -> object:
    return decode(content, MAX_IMAGE_PIXELS)


def whole(content: bytes) -> object:
    return analyze_bytes(IMAGE, content, MAX_IMAGE_PIXELS)


def variants(form: str, contents: Sequence[bytes]) -> dict[str, Variant]:
    ours = {"decode": decoded, **stages(contents), "whole": whole}
    return {"floor": floor, **ours} if "JPEG" in form else ours


def measured(pictures: Mapping[str, Sequence[bytes]], rounds: int) -> Milliseconds:
    """Take every variant once a round on the next picture, the peers now and then."""
    found: Milliseconds = {}
    ours = {form: variants(form, contents) for form, contents in pictures.items()}
    for number in range(-1, rounds):  # the first round warms up
        for form, contents in pictures.items():
            asked: dict[str, Variant] = dict(ours[form])
            if form in {BASELINE, LARGE} and (number < 0 or number % PEERS_EVERY == 0):
                asked |= {name: ask for name, (_, ask) in PEERS.items()}
            for name, ask in asked.items():
                milliseconds = _cost(ask, contents[number % len(contents)])
                if number >= 0:
                    found.setdefault((form, name), []).append(milliseconds)
    return found


def _cost(ask: Variant, content: bytes) -> float:
    began = time.process_time()
    ask(content)
    return 1000 * (time.process_time() - began)


def fresh(content: bytes, runs: int) -> tuple[float, float]:
    """Seconds to the first answer and megabytes of a new process: medians."""
    command = [sys.executable, str(Path(__file__).with_name("first_answer.py"))]
    printed = [subprocess.run(command, input=content, capture_output=True, check=True).stdout for _ in range(runs)]
    seconds, megabytes = zip(*[map(float, text.split()) for text in printed], strict=True)
    return statistics.median(seconds), statistics.median(megabytes)


def goals(found: Milliseconds, first: tuple[float, float]) -> list[Measure]:
    middle = {key: statistics.median(values) for key, values in found.items()}
    ours = middle[BASELINE, "whole"]
    cheaper = {peer: middle[BASELINE, peer] / ours for peer in PEERS}
    return [
        Measure("whole answer to the floor, JPEG 1000x1000", ours / middle[BASELINE, "floor"], 4, 2.5, True),
        Measure("times cheaper than fast-colorthief", cheaper["fast-colorthief"], 1.3, 2.2),
        Measure("times cheaper than colorthief", cheaper["colorthief"], 16, 30),
        Measure("times cheaper than Pylette", cheaper["Pylette"], 6, 12),
        Measure("progressive to baseline JPEG, whole answer", middle[PROGRESSIVE, "whole"] / ours, 1.6, 1.4, True),
        Measure("import and first answer, seconds", first[0], 0.6, 0.4, True),
        Measure("resident memory of a classifier process, MB", first[1], 130, 100, True),
    ]


def rows(found: Milliseconds) -> list[tuple[object, ...]]:
    floors = {form: statistics.median(values) for (form, name), values in found.items() if name == "floor"}
    return [
        (form, name, f"{middle:.2f}", f"{float(np.quantile(values, 0.9)):.2f}", _times(middle, floors.get(form)))
        for (form, name), values in found.items()
        for middle in [statistics.median(values)]
    ]


def _times(value: float, floor_value: float | None) -> str:
    return f"{value / floor_value:.1f}" if floor_value else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/color-dev")
    parser.add_argument("--photos", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    originals = photos(arguments.data / "mixed/images", arguments.photos)
    pictures = {form: encoded(originals, form) for form in FORMS}
    first = fresh(pictures[BASELINE][0], 7)
    found = measured(pictures, arguments.rounds)
    print("\n## Goals\n")
    print(goals_table(goals(found, first)))
    print("\n## Milliseconds of CPU time\n")
    print(table(("image", "what", "median", "p90", "x floor"), rows(found)))
    sizes = {form: statistics.median(map(len, contents)) / 1000 for form, contents in pictures.items()}
    print(table(("image", "kB, median"), [(form, f"{size:.0f}") for form, size in sizes.items()]))


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})  # noqa: S606  # before BLAS starts
    main()
