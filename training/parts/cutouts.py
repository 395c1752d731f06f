"""Labeled photos, cut to what they show: the pieces of which synthetic photos are made."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.parts.border import Floats, Mask, border_features, oklab
from training.parts.labels import Labels, Part, covers, has_face, heights, part_labels, plausible, skin_colored
from training.parts.photos import Kind, Photo, Pixels, pixels
from training.parts.teacher import Pose

_FLAT: Final[dict[Kind, Part]] = {"top": Part.TORSO, "bottom": Part.LOWER, "goods": Part.OTHER}
_KINDS: Final[tuple[Kind, ...]] = ("top", "bottom", "dress", "goods")
_MIN_SHARE, _MAX_SHARE, _MAX_SKIN = 0.03, 0.9, 0.15
_MIXED: Final = 0.12


@dataclass(frozen=True)
class Cutout:
    """One labeled photo, cropped; joints in pixels of the crop, which they may leave."""

    kind: Kind
    photo: Pixels
    labels: Labels
    joints: NDArray[np.float32] | None
    """Shoulders, hips, knees and ankles (y), and the hips (x); None where nobody wears it."""


def cutouts(listed: Iterable[Photo], poses: Iterable[Pose]) -> Iterator[Cutout]:
    """Cut out all photos that can be read, with the poses of those that may show a person; others are dropped."""
    left = iter(poses)
    for photo in listed:
        cut = _garment_or_goods(photo) if photo.kind == "goods" else _person(photo, next(left))
        if cut is not None:
            yield cut


def _person(photo: Photo, pose: Pose) -> Cutout | None:
    image = pixels(photo)
    foreground, distance = border_features(image)
    worn = plausible(pose) and covers(pose, foreground)
    if (photo.kind == "top" and not has_face(image, pose)) or not worn:
        return _garment_or_goods(photo)
    labels = part_labels(image, pose, photo.kind)
    labels[~trimmed(labels > 0, distance)] = Part.BACKGROUND
    return _cropped(photo.kind, image, labels, _joints(pose, image))


def _joints(pose: Pose, image: Pixels) -> NDArray[np.float32]:
    at = heights(pose)
    height, width = image.shape[:2]
    middle = float(pose.landmarks[23:25, 0].mean())
    down = [at.shoulders * height, at.hips * height, at.knees * height, at.ankles * height]
    return np.array([*down, middle * width], np.float32)


def _garment_or_goods(photo: Photo) -> Cutout | None:
    if photo.kind not in _FLAT:
        return None
    image = pixels(photo)
    foreground, distance = border_features(image)
    mask = trimmed(filled(foreground), distance)
    if not _MIN_SHARE < mask.mean() < _MAX_SHARE or not _in_one_piece(mask):
        return None
    if photo.kind != "goods" and skin_colored(oklab(image[mask])).mean() > _MAX_SKIN:
        return None
    return _cropped(photo.kind, image, (mask * _FLAT[photo.kind]).astype(np.uint8), None)


def filled(mask: Mask) -> Mask:
    """Close gaps of a few pixels and fill the holes."""
    closed = ndimage.binary_closing(np.pad(mask, 4), iterations=3)[4:-4, 4:-4]
    return np.asarray(ndimage.binary_fill_holes(closed | mask))


def trimmed(mask: Mask, distance: Floats) -> Mask:
    """Take off the outline where it is mixed with the old background, which would shine before a new one."""
    rim = mask & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
    return np.asarray(mask & ~(rim & (distance < _MIXED)))


def _in_one_piece(mask: Mask) -> bool:
    _, sizes = np.unique(ndimage.label(mask)[0][mask], return_counts=True)
    return bool(sizes.max() > 0.7 * sizes.sum())


def _cropped(kind: Kind, photo: Pixels, labels: Labels, joints: NDArray[np.float32] | None) -> Cutout | None:
    rows, columns = np.flatnonzero(labels.any(1)), np.flatnonzero(labels.any(0))
    if len(rows) * len(columns) < 200:
        return None
    top, left = rows[0], columns[0]
    box = np.s_[top : rows[-1] + 1, left : columns[-1] + 1]
    moved = None if joints is None else joints - np.array([top] * 4 + [left], np.float32)
    return Cutout(kind, photo[box], labels[box], moved)


def save(cuts: list[Cutout], path: Path) -> None:
    """Keep cutouts in one file."""
    no_joints = np.full(5, np.nan, np.float32)
    np.savez(
        path,
        kinds=np.array([_KINDS.index(cut.kind) for cut in cuts]),
        shapes=np.array([cut.labels.shape for cut in cuts]),
        joints=np.array([no_joints if cut.joints is None else cut.joints for cut in cuts]),
        photos=np.concatenate([cut.photo.ravel() for cut in cuts]),
        labels=np.concatenate([cut.labels.ravel() for cut in cuts]),
    )


def load(path: Path) -> list[Cutout]:
    """Read what `save` wrote."""
    with np.load(path) as kept:
        kinds, shapes, joints = kept["kinds"], kept["shapes"], kept["joints"]
        ends = np.cumsum(shapes.prod(1))
        photos = np.split(kept["photos"], ends[:-1] * 3)
        labels = np.split(kept["labels"], ends[:-1])
    return [
        Cutout(_KINDS[kind], photo.reshape(*shape, 3), label.reshape(shape), None if np.isnan(joint[0]) else joint)
        for kind, shape, joint, photo, label in zip(kinds, shapes, joints, photos, labels, strict=True)
    ]
