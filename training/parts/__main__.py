"""`python -m training.parts --data DIR --work DIR`: make the weights of the part network.

Each step keeps what it made in the work folder and is skipped where that is there: remove a file to make it again.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from training.parts import cutouts, fitting, mixtures, photos, teacher
from training.parts.exporting import export
from training.parts.mixtures import Samples
from training.parts.scores import overlaps
from training.parts.teacher_file import fetched

SHIPPED: Final = Path(__file__).parents[2] / "services" / "classifier" / "color" / "parts.npz"
HELD_OUT: Final = 10
"""One photo in this many is never trained on."""


@dataclass(frozen=True)
class Plan:
    """How much to make and to train."""

    photos: int
    steps: int
    seeds: int
    unseen: int = 1500


def main() -> None:
    """Run the steps that are still to be done."""
    arguments = _arguments()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    plan = Plan(arguments.photos, arguments.steps, arguments.seeds)
    cuts = _cut(arguments.data, work)
    seen = [cut for index, cut in enumerate(cuts) if index % HELD_OUT]
    samples = _mixed(work / "seen.npz", seen, plan.photos, seed=1)
    unseen = _mixed(work / "unseen.npz", cuts[::HELD_OUT], plan.unseen, seed=2)
    best = max((_fitted(work, samples, plan, seed) for seed in range(plan.seeds)), key=lambda w: _mean(w, unseen))
    print({part: round(share, 3) for part, share in overlaps(best, unseen).items()})
    export(best, arguments.output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.parts", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with fashion-small/ and electronics/")
    parser.add_argument("--work", type=Path, required=True, help="folder for what the steps make")
    parser.add_argument("--output", type=Path, default=SHIPPED, help="the file of weights to write")
    parser.add_argument("--photos", type=int, default=24_000, help="synthetic photos to train on")
    parser.add_argument("--steps", type=int, default=3_600, help="steps of training")
    parser.add_argument("--seeds", type=int, default=1, help="trainings, of which the best is kept")
    return parser.parse_args()


def _cut(data: Path, work: Path) -> list[cutouts.Cutout]:
    path = work / "cutouts.npz"
    if not path.exists():
        cutouts.save(list(cutouts.cutouts(photos.listed(data), _read(data, work))), path)
    return cutouts.load(path)


def _read(data: Path, work: Path) -> list[teacher.Pose]:
    path = work / "poses.npz"
    if not path.exists():
        model = teacher.Teacher(fetched(work))
        persons = [photo for photo in photos.listed(data) if photo.kind != "goods"]
        print(f"reading the poses of {len(persons)} photos", flush=True)
        teacher.save([model.read(photos.pixels(photo), photo.kind) for photo in persons], path)
    return teacher.load(path)


def _mixed(path: Path, cuts: list[cutouts.Cutout], count: int, seed: int) -> Samples:
    if not path.exists():
        print(f"making {count} synthetic photos", flush=True)
        made = mixtures.mixtures(mixtures.stock(cuts), count, seed)
        np.savez(path, inputs=made.inputs, labels=made.labels, aspects=made.aspects)
    with np.load(path) as kept:
        return Samples(kept["inputs"], kept["labels"], kept["aspects"])


def _fitted(work: Path, samples: Samples, plan: Plan, seed: int) -> dict[str, np.ndarray]:
    path = work / f"weights-{plan.steps}-{seed}.npz"
    if not path.exists():
        export(fitting.fitted(samples, plan.steps, seed), path, np.float32)
    with np.load(path) as kept:
        return dict(kept)


def _mean(weights: dict[str, np.ndarray], unseen: Samples) -> float:
    return sum(overlaps(weights, unseen).values())


if __name__ == "__main__":
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    main()
