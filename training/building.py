"""From labeled photos to the arrays of the model file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.analysis import FAMILIES
from services.classifier.color.analyzing import Reading, reading_of
from services.classifier.color.families import NAMED_ALIKE, features_of
from services.classifier.color.groups import GROUPS
from services.classifier.color.histogram import Histogram, histogram_of
from services.classifier.color.model import Model, model_from
from services.classifier.color.oklab import Floats
from training import centers, prior
from training.catalogs import Example
from training.seeing import Seen

LEAST_PHOTOS_OF_WORD: Final = 40

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Lesson:
    """Labeled photos with their product pixels; the first `named` of them teach the names of colors."""

    examples: Sequence[Example]
    seen: list[Seen]

    @property
    def family(self) -> NDArray[np.intp]:
        """The index of the labeled family of each photo."""
        return np.array([FAMILIES.index(example.family) for example in self.examples])


def histogram_for(seen: Seen, example: Example, model: Model) -> Histogram:
    """Count the colors of a product as the service does."""
    places = model.maps[GROUPS.index(example.kind.group)].reshape(-1)
    return histogram_of(seen.rgb, seen.weight * places[seen.place])


def colors(lesson: Lesson) -> Arrays:
    """Learn the maps, the centers and the names of the centers."""
    learned = prior.learn_prior(lesson.seen, lesson.family, [example.kind.group for example in lesson.examples])
    places = centers.learn_centers(lesson.seen)
    neighbors, nearness = centers.neighbors_of(places)
    return {
        "maps": learned.maps.astype(np.float16),
        "called": prior.called(),
        "words": _telling_words(lesson.examples),
        "neighbors": neighbors,
        "nearness": nearness,
    }


def _telling_words(examples: Sequence[Example]) -> NDArray[np.str_]:
    """Find the words of product types that many photos share, in alphabetical order."""
    counts = Counter(word for example in examples for word in sorted(example.kind.words))
    return np.array(sorted(word for word, count in counts.items() if count >= LEAST_PHOTOS_OF_WORD), dtype=np.str_)


def unfinished(arrays: Arrays, **more: Floats) -> Model:
    """Make a model of the arrays that are there; the small logistic models are empty."""
    called = (len(NAMED_ALIKE) + 2) * len(FAMILIES)
    features = 2 * (int(arrays["neighbors"].max()) + 1) + len(GROUPS) + len(arrays["words"]) + called
    empty = {
        "family_weights": np.zeros((features, len(FAMILIES))),
        "family_bias": np.zeros(len(FAMILIES)),
        **{name: np.zeros(1) for name in ("confidence", "label", "multicolor", "metallic")},
    }
    return model_from({**empty, **arrays, **more})


def features_for(lesson: Lesson, model: Model) -> Floats:
    """Describe every photo for the classifier (n, features)."""
    pairs = zip(lesson.seen, lesson.examples, strict=True)
    return np.stack([features_of(histogram_for(seen, one, model), one.kind, model) for seen, one in pairs])


def readings_for(lesson: Lesson, model: Model) -> list[Reading]:
    """Read every photo as the service does."""
    pairs = zip(lesson.seen, lesson.examples, strict=True)
    return [reading_of(histogram_for(seen, one, model), one.kind, model) for seen, one in pairs]
