"""What was told of labeled photos, by huestream and by its peers, and how good that is."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from color_answers import Answer, answers_of, image_of, other_hexes, own_families_of
from color_names import families_of
from color_sets import SEEN_IN_TRAINING, Photo
from peers import Rgb, past_white
from scores import area_under_curve, balanced_accuracy, mean

FAMILIES = ("black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "beige")
NAMINGS: Mapping[str, Callable[[Sequence[Rgb]], list[str]]] = {
    "XKCD": families_of,
    "huestream": own_families_of,
}


@dataclass(frozen=True)
class Told:
    """A photo and what was told of it; `is_seen` says that the model was made from its label."""

    photo: Photo
    family: str
    confidence: float = 0.0
    multicolor: float | None = None
    is_seen: bool = False

    @property
    def is_acceptable(self) -> bool:
        return self.family in self.photo.acceptable

    @property
    def is_strict(self) -> bool:
        return self.family == self.photo.primary


def acceptable(told: Iterable[Told]) -> float:
    return mean([each.is_acceptable for each in told])


def strict(told: Iterable[Told]) -> float:
    return mean([each.is_strict for each in told])


def told_by_us(photos: Sequence[Photo], held_out: Mapping[str, Answer], processes: int) -> list[Told]:
    asked = [photo for photo in photos if photo.key not in held_out]
    found = {**held_out, **_by_key(asked, answers_of([image_of(photo) for photo in asked], processes))}
    return [
        _told(photo, found[photo.key], photo.set_name in SEEN_IN_TRAINING and photo.key not in held_out)
        for photo in photos
    ]


def _by_key(photos: Iterable[Photo], found: Iterable[Answer]) -> dict[str, Answer]:
    return {photo.key: answer for photo, answer in zip(photos, found, strict=True)}


def _told(photo: Photo, answer: Answer, is_seen: bool) -> Told:  # noqa: FBT001  # a property of the photo
    return Told(photo, answer["primary"]["family"], answer["confidence"], answer["multicolor"], is_seen)


def told_by_peer(
    photos: Sequence[Photo], colors: Mapping[str, Sequence[Rgb]], naming: str, *, filtered: bool
) -> list[Told]:
    firsts = [(past_white(colors[photo.key]) if filtered else colors[photo.key])[:1] for photo in photos]
    names = iter(NAMINGS[naming]([first[0] for first in firsts if first]))
    return [Told(photo, next(names) if first else "none") for photo, first in zip(photos, firsts, strict=True)]


def labels_judged(photos: Sequence[Photo], processes: int) -> tuple[list[Answer], list[Answer]]:
    """The verdicts on each photo's own hex, and on the hex of a photo of another family."""
    wrong = other_hexes(photos)
    own = answers_of([image_of(photo, photo.hexes[0]) for photo in photos], processes)
    other = answers_of([image_of(photo, wrong[photo.key]) for photo in photos], processes)
    return [answer["label"] for answer in own], [answer["label"] for answer in other]


def label_scores(own: Sequence[Answer], other: Sequence[Answer]) -> tuple[float, float]:
    """AUC of the match probability, and balanced accuracy of "disagree"."""
    matches = [[label["match_probability"] for label in labels] for labels in (own, other)]
    agreed = [label["verdict"] != "disagree" for label in own]
    return area_under_curve(*matches), balanced_accuracy(agreed, [label["verdict"] == "disagree" for label in other])


def multicolor_area(told: Iterable[Told]) -> float:
    judged = [each for each in told if each.photo.multicolor is not None and each.multicolor is not None]
    scores = [[each.multicolor for each in judged if each.photo.multicolor is kind] for kind in (True, False)]
    return area_under_curve(*scores) if all(scores) else float("nan")


def recall_by_family(told: Sequence[Told]) -> dict[str, tuple[float, int]]:
    """The share of acceptable answers among the photos whose first family it is, and how many these are."""
    counts = Counter(each.photo.primary for each in told)
    return {
        name: (acceptable(each for each in told if each.photo.primary == name), counts[name])
        for name in FAMILIES
        if counts[name]
    }
