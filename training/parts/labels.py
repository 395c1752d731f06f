"""Which part of a person each pixel shows, from the landmarks and the mask of the teacher."""

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.parts.border import Floats, Mask, border_features, oklab
from training.parts.photos import Kind, Pixels
from training.parts.teacher import Pose

Labels = NDArray[np.uint8]

MIN_SCORE: Final = 0.5
MIN_TORSO: Final = 0.08
_SIDES: Final = (0, 1)
_NOSE, _SHOULDERS, _ELBOWS, _WRISTS = 0, (11, 12), (13, 14), (15, 16)
_HIPS, _KNEES, _ANKLES = (23, 24), (25, 26), (27, 28)


class Part(IntEnum):
    """The classes of the part network, in the order of its outputs."""

    BACKGROUND = 0
    TORSO = 1
    LOWER = 2
    FEET = 3
    SKIN = 4
    OTHER = 5


@dataclass(frozen=True)
class Heights:
    """Where the joints are, as shares of the photo's height; the torso's own height is the unit of the rules."""

    shoulders: float
    hips: float
    knees: float
    ankles: float

    @property
    def torso(self) -> float:
        """Shoulders to hips."""
        return self.hips - self.shoulders


def heights(pose: Pose) -> Heights:
    """Average both sides."""
    return Heights(*(float(pose.landmarks[list(pair), 1].mean()) for pair in (_SHOULDERS, _HIPS, _KNEES, _ANKLES)))


def plausible(pose: Pose) -> bool:
    """Tell a figure that stands upright with its hips in the photo from a guess."""
    at = heights(pose)
    upright = at.shoulders < at.hips < at.knees and at.torso >= MIN_TORSO
    return pose.score > MIN_SCORE and upright and 0 < at.hips < 1


def part_labels(photo: Pixels, pose: Pose, kind: Kind) -> Labels:
    """Label each pixel of a person's photo with a `Part`, (height, width)."""
    colors = oklab(photo)
    person = ndimage.binary_fill_holes(pose.mask & ~_empty(photo)) & pose.mask
    labels = np.where(person, _by_height(photo.shape[:2], pose), np.uint8(Part.BACKGROUND)).astype(np.uint8)
    skin = ndimage.binary_opening(_skin(colors, labels, pose, kind), np.ones((2, 2)))
    if kind == "bottom":
        _raise_waist(labels, colors, skin, heights(pose))
    if kind == "top":
        _lower_hem(labels, colors, skin, heights(pose))
    labels[skin & person & (labels != Part.FEET)] = Part.SKIN
    return _smooth(labels)


def has_face(photo: Pixels, pose: Pose) -> bool:
    """Tell a person from a garment that lies or hangs alone, in which the teacher sees one all the same."""
    colors = oklab(photo)
    return _face_color(colors, _by_height(photo.shape[:2], pose), skin_colored(colors), pose) is not None


def covers(pose: Pose, foreground: Mask) -> bool:
    """Tell whether the teacher's person is what stands out from the border."""
    return float((foreground & pose.mask).sum()) > 0.8 * float(foreground.sum())


def _empty(photo: Pixels) -> Mask:
    """Where the photo has the color of its border without a fold or a shadow: the teacher guesses a body there."""
    _, distance = border_features(photo)
    flat = ndimage.maximum_filter(distance, 5) < 0.012
    return np.asarray(ndimage.binary_opening(flat, np.ones((7, 7))))


def _smooth(labels: Labels) -> Labels:
    """Give each pixel the label of most of its neighbors."""
    votes = [ndimage.uniform_filter((labels == part).astype(np.float32), 3) for part in Part]
    return np.asarray(np.argmax(votes, axis=0), np.uint8)


def _grid(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Shares (x, y) of the photo at the middle of each pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return (x + 0.5) / shape[1], (y + 0.5) / shape[0]


def _by_height(shape: tuple[int, ...], pose: Pose) -> Labels:
    x, y = _grid(shape)
    at = heights(pose)
    labels = np.full(shape, Part.TORSO, np.uint8)
    below = y > at.hips + 0.02 * at.torso
    beside = (y < at.knees) & ~_between_legs(x, y, pose, shape[0] / shape[1])
    labels[below & ~beside] = Part.LOWER
    labels[y < at.shoulders - 0.12 * at.torso] = Part.SKIN
    labels[y > at.ankles - 0.06 * (at.ankles - at.knees)] = Part.FEET
    return labels


def _between_legs(x: Floats, y: Floats, pose: Pose, height_per_width: float) -> Mask:
    """Tell what lies between the outer sides of both thighs, which are wider than the line of the joints."""
    at = heights(pose)
    margin = 0.3 * at.torso * height_per_width
    down = np.clip((y - at.hips) / (at.knees - at.hips), 0, 1)
    sides = [pose.landmarks[_HIPS[i], 0] + down * (pose.landmarks[_KNEES[i], 0] - pose.landmarks[_HIPS[i], 0])
             for i in _SIDES]  # fmt: skip
    return np.asarray((x > np.minimum(*sides) - margin) & (x < np.maximum(*sides) + margin))


def _skin(colors: Floats, labels: Labels, pose: Pose, kind: Kind) -> Mask:
    like_skin = skin_colored(colors)
    face = _face_color(colors, labels, like_skin, pose)
    arms = _near_arms(labels.shape, pose)
    lower = _median(colors, labels == Part.LOWER)
    if face is not None:
        cloth = _median(colors, (labels == Part.TORSO) & ~arms)
        return like_skin & _nearest_to_face(colors, face, cloth, lower) & _bare(labels, arms, pose)
    if kind == "bottom" and not skin_colored(lower):
        return like_skin & (_distance(colors, lower) > 0.12)
    return like_skin & arms


def _nearest_to_face(colors: Floats, face: Floats, cloth: Floats, lower: Floats) -> Mask:
    to_face = _distance(colors, face)
    others = [cloth] if _distance(lower, face) < 0.07 else [cloth, lower]
    return np.asarray((to_face < 0.16) & np.all([to_face < _distance(colors, other) for other in others], axis=0))


def _bare(labels: Labels, arms: Mask, pose: Pose) -> Mask:
    """Where skin may be: head, arms, the neckline and below the hips; elsewhere it is a print of that color."""
    x, y = _grid(labels.shape)
    at = heights(pose)
    middle = pose.landmarks[list(_SHOULDERS), 0].mean()
    reach = 0.3 * at.torso * labels.shape[0] / labels.shape[1]
    neckline = (y < at.shoulders + 0.3 * at.torso) & (np.abs(x - middle) < reach)
    return np.asarray(arms | neckline | (labels == Part.SKIN) | (y > at.hips + 0.1 * at.torso))


def skin_colored(colors: Floats) -> Mask:
    """Tell the hues, chroma and lightness of skin in OKLab."""
    hue = np.degrees(np.arctan2(colors[..., 2], colors[..., 1]))
    chroma = np.hypot(colors[..., 1], colors[..., 2])
    return np.asarray((hue > 20) & (hue < 80) & (chroma > 0.025) & (chroma < 0.14) & (colors[..., 0] > 0.35))


def _face_color(colors: Floats, labels: Labels, like_skin: Mask, pose: Pose) -> Floats | None:
    x, y = _grid(labels.shape)
    at, nose = heights(pose), pose.landmarks[_NOSE]
    near = np.hypot((x - nose[0]) * labels.shape[1] / labels.shape[0], y - nose[1]) < 0.15 * at.torso
    face = near & like_skin & (labels == Part.SKIN)
    return _median(colors, face) if face.sum() > 20 else None


def _near_arms(shape: tuple[int, ...], pose: Pose) -> Mask:
    x, y = _grid(shape)
    width = shape[1] / shape[0]
    reach = 0.14 * heights(pose).torso
    near = np.zeros(shape, np.bool_)
    for i in _SIDES:
        joints = [pose.landmarks[pair[i]] * (width, 1) for pair in (_SHOULDERS, _ELBOWS, _WRISTS)]
        joints.append(joints[2] + 0.4 * (joints[2] - joints[1]))  # the hand
        for start, end in pairwise(joints):
            near |= _to_segment(x * width, y, start, end) < reach
    return near


def _to_segment(x: Floats, y: Floats, start: Floats, end: Floats) -> Floats:
    dx, dy = end - start
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    return np.asarray(np.hypot(x - start[0] - along * dx, y - start[1] - along * dy))


def _raise_waist(labels: Labels, colors: Floats, skin: Mask, at: Heights) -> None:
    """Trousers reach above the hip joints, as far as their color does."""
    _, y = _grid(labels.shape)
    lower = (labels == Part.LOWER) & ~skin
    near = _distance(colors, _median(colors, lower)) < 0.1
    labels[near & ~skin & (labels == Part.TORSO) & (y > at.hips - 0.5 * at.torso)] = Part.LOWER


def _lower_hem(labels: Labels, colors: Floats, skin: Mask, at: Heights) -> None:
    """Shirts reach below the hip joints, as far as their color does."""
    _, y = _grid(labels.shape)
    top = _median(colors, (labels == Part.TORSO) & ~skin)
    legs = _median(colors, (labels == Part.LOWER) & ~skin & (y > at.hips + 0.3 * at.torso))
    to_top, to_legs = _distance(colors, top), _distance(colors, legs)
    like_top = (to_top < 0.1) & (to_legs > 1.5 * to_top)
    labels[like_top & ~skin & (labels == Part.LOWER) & (y < at.hips + 0.45 * at.torso)] = Part.TORSO


def _median(colors: Floats, where: Mask) -> Floats:
    """Median color; far from every color where nothing is."""
    return np.asarray(np.median(colors[where], axis=0) if where.any() else np.full(3, 9.0), np.float32)


def _distance(colors: Floats, color: Floats) -> Floats:
    return np.asarray(np.linalg.norm(colors - color, axis=-1))
