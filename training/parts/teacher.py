"""What a published pose model sees in a photo of a person: landmarks and a mask.

Model: MediaPipe Pose (BlazePose GHUM 3D), Apache-2.0, as packed in `@mediapipe/pose`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from PIL import Image

from training.parts.photos import Kind, Pixels

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

CANVAS_SIDE: Final = 256
LANDMARKS: Final = 33
_LANDMARK_VALUES: Final = 5  # x, y, z, visibility, presence


@dataclass(frozen=True)
class Place:
    """Where a photo lies on the canvas: its height and its top edge, as shares of the canvas."""

    height: float
    top: float


PLACES: Final[dict[Kind, tuple[Place, ...]]] = {
    "top": (Place(0.56, 0.02),),
    "bottom": (Place(0.62, 0.37),),
    "dress": (Place(0.75, 0.03), Place(0.56, 0.02)),
}
"""The model expects a whole figure around its hips, so a cropped photo lies where its part of one would be."""


@dataclass(frozen=True)
class Pose:
    """One reading: landmarks (33, 2) as shares (x, y) of the photo, which may lie outside; where a person is."""

    score: float
    landmarks: Floats
    mask: Mask


class Teacher:
    """The pose model, loaded once."""

    def __init__(self, model: Path) -> None:
        self._model = Interpreter(str(model), num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]["index"]
        self._outputs = {tuple(output["shape"]): output["index"] for output in self._model.get_output_details()}

    def read(self, photo: Pixels, kind: Kind) -> Pose:
        """Read the pose at the best of the places that suit the kind of photo."""
        return max((self._read(photo, place) for place in PLACES[kind]), key=lambda pose: pose.score)

    def _read(self, photo: Pixels, place: Place) -> Pose:
        canvas, box = on_canvas(photo, place)
        self._model.set_tensor(self._input, canvas[np.newaxis])
        self._model.invoke()
        points = self._output(1, 195).reshape(-1, _LANDMARK_VALUES)[:LANDMARKS, :2]
        left, top, right, bottom = box
        shares = (points - (left, top)) / (right - left, bottom - top)
        logits = _resized(self._output(1, CANVAS_SIDE, CANVAS_SIDE, 1)[0, :, :, 0], box, photo.shape[:2])
        return Pose(float(self._output(1, 1)[0, 0]), shares.astype(np.float32), logits > 0)

    def _output(self, *shape: int) -> Floats:
        return np.asarray(self._model.get_tensor(self._outputs[shape]), np.float32)


def on_canvas(photo: Pixels, place: Place) -> tuple[Floats, tuple[int, int, int, int]]:
    """Lay a photo on a canvas of its border color; gives also its box (left, top, right, bottom) in pixels."""
    height = round(place.height * CANVAS_SIDE)
    width = round(height * photo.shape[1] / photo.shape[0])
    left, top = (CANVAS_SIDE - width) // 2, round(place.top * CANVAS_SIDE)
    border = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])
    canvas = Image.new("RGB", (CANVAS_SIDE, CANVAS_SIDE), tuple(int(c) for c in np.median(border, axis=0)))
    canvas.paste(Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return np.asarray(canvas, np.float32) / np.float32(255), (left, top, left + width, top + height)


def save(poses: list[Pose], path: Path) -> None:
    """Keep readings of photos of one size in one file."""
    masks = np.stack([pose.mask for pose in poses])
    np.savez_compressed(
        path,
        scores=np.array([pose.score for pose in poses]),
        landmarks=np.stack([pose.landmarks for pose in poses]),
        masks=np.packbits(masks, axis=2),
        width=masks.shape[2],
    )


def load(path: Path) -> list[Pose]:
    """Read what `save` wrote."""
    with np.load(path) as kept:
        masks = np.unpackbits(kept["masks"], axis=2, count=int(kept["width"])).astype(np.bool_)
        readings = zip(kept["scores"], kept["landmarks"], masks, strict=True)
        return [Pose(float(score), landmarks, mask) for score, landmarks, mask in readings]


def _resized(mask: Floats, box: tuple[int, int, int, int], shape: tuple[int, int]) -> Floats:
    image = Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.BILINEAR, box=box)
    return np.asarray(image, np.float32)
