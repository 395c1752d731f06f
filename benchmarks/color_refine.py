"""What the optional second look gains, and what it costs: the same photos with it and without.

    pip install huestream[refine]
    python benchmarks/color_refine.py --model u2netp.onnx --data ../shared/color-dev [--sets mixed fashion-large]

The shipped model has seen the labels of `mixed`: its figures flatter both columns, and the difference is what counts.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from color_answers import image_of
from color_sets import Photo, read_set
from goals import table
from scores import mean

from services.classifier.classifying import analysis_of
from services.classifier.color import Analysis
from services.classifier.refining import FigureFinder, Mask, Pixels, figure_finder
from services.classifier.settings import MAX_IMAGE_PIXELS


@dataclass
class Counted:
    """The model, and the milliseconds of processor time of each photo that was looked at twice."""

    find: FigureFinder
    milliseconds: list[float]

    def __call__(self, pixels: Pixels) -> Mask:
        began = time.process_time()
        figure = self.find(pixels)
        self.milliseconds.append(1000 * (time.process_time() - began))
        return figure


def row(photos: Sequence[Photo], counted: Counted) -> tuple[object, ...]:
    """Tell of one set: how often right without and with, and how many were looked at twice."""
    once = [told(photo, None) for photo in photos]
    counted.milliseconds.clear()
    twice = [told(photo, counted) for photo in photos]
    shares = [
        f"{mean([one.primary.family in photo.acceptable for one, photo in zip(answers, photos, strict=True)]):.3f} / "
        f"{mean([one.primary.family == photo.primary for one, photo in zip(answers, photos, strict=True)]):.3f}"
        for answers in (once, twice)
    ]
    looked, changed = len(counted.milliseconds), sum(a != b for a, b in zip(once, twice, strict=True))
    middle = f"{statistics.median(counted.milliseconds):.0f}" if looked else "-"
    return photos[0].set_name, len(photos), *shares, f"{looked / len(photos):.0%}", changed, middle


def told(photo: Photo, find: FigureFinder | None) -> Analysis:
    return analysis_of(image_of(photo), photo.file.read_bytes(), MAX_IMAGE_PIXELS, find)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/color-dev")
    parser.add_argument("--sets", nargs="+", default=["mixed", "fashion-large"])
    arguments = parser.parse_args()
    counted = Counted(figure_finder(arguments.model), [])
    head = ("set", "photos", "without: acceptable / strict", "with", "looked at twice", "answers changed", "ms each")
    print(table(head, [row(read_set(arguments.data, name), counted) for name in arguments.sets]))


if __name__ == "__main__":
    main()
