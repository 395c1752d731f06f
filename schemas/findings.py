"""What of a batch needs a person, in the order in which it is told, and what its colors are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from schemas.results import ResultItem
from schemas.results_words import FAMILY_HEX, shortened

_CATEGORIES_SHOWN: Final = 6
Pile = Literal["mismatch", "review", "failed", "canceled", "rest"]
PILES: Final[tuple[Pile, ...]] = ("mismatch", "review", "failed", "canceled", "rest")
_ORDER: Final = {family: number for number, family in enumerate(FAMILY_HEX)}


@dataclass(frozen=True)
class Summary:
    """A batch, sorted by what is to be done; each image stands in one of the last five."""

    items: Sequence[ResultItem]
    mismatches: Sequence[ResultItem]
    reviews: Sequence[ResultItem]
    failures: Sequence[ResultItem]
    canceled: Sequence[ResultItem]
    rest: Sequence[ResultItem]

    @property
    def classified(self) -> int:
        """Images with an answer."""
        return len(self.items) - len(self.failures) - len(self.canceled)

    @property
    def is_clean(self) -> bool:
        """Whether nobody has anything to do."""
        return len(self.rest) == len(self.items)


def summary_of(items: Sequence[ResultItem]) -> Summary:
    """Sort results, the surest mismatch first; an image that mismatches is not listed for review again."""
    piles: dict[Pile, list[ResultItem]] = {pile: [] for pile in PILES}
    for item in items:
        piles[pile_of(item)].append(item)
    return Summary(
        items=items,
        mismatches=surest_first(piles["mismatch"]),
        reviews=piles["review"],
        failures=piles["failed"],
        canceled=piles["canceled"],
        rest=piles["rest"],
    )


def pile_of(item: ResultItem) -> Pile:
    """Say what an image waits for."""
    if item.classification is None:
        return "canceled" if item.error and str(item.error.code) == "canceled" else "failed"
    if verdict_of(item) == "disagree":
        return "mismatch"
    return "review" if item.classification.needs_review else "rest"


def verdict_of(item: ResultItem) -> str | None:
    """The verdict on the label, where there is a label."""
    if item.classification is None or item.classification.label is None:
        return None
    return item.classification.label.verdict


def surest_first(mismatches: Sequence[ResultItem]) -> list[ResultItem]:
    """Order labels that differ: those that are least likely right come first."""
    return sorted(mismatches, key=_likely_right)


def _likely_right(item: ResultItem) -> float:
    """The probability that the label is right; classifiers that do not know it have only the difference."""
    label = item.classification.label if item.classification else None
    if label is None:
        return 1.0
    return label.match_probability if label.match_probability is not None else 1 / (1 + label.delta_e_2000)


def by_reason(reviews: Sequence[ResultItem]) -> list[tuple[tuple[str, ...], list[ResultItem]]]:
    """Gather what is to be looked at by why, the most frequent first."""
    found: dict[tuple[str, ...], list[ResultItem]] = {}
    for item in reviews:
        found.setdefault(tuple(item.classification.review_reasons) if item.classification else (), []).append(item)
    return sorted(found.items(), key=lambda reason: -len(reason[1]))


def by_cause(failures: Sequence[ResultItem]) -> list[tuple[str, list[ResultItem]]]:
    """Gather failures by their code, the most frequent first."""
    found: dict[str, list[ResultItem]] = {}
    for item in failures:
        found.setdefault(item.error.code if item.error else "internal", []).append(item)
    return sorted(found.items(), key=lambda cause: -len(cause[1]))


@dataclass(frozen=True)
class Composition:
    """The colors of one category: how many images of each family, in the order in which families are shown."""

    category: str
    families: Mapping[str, int]
    gathers: bool = False
    """Whether it stands for several small categories."""

    @property
    def total(self) -> int:
        """Classified images of the category."""
        return sum(self.families.values())


def compositions(items: Sequence[ResultItem]) -> list[Composition]:
    """Count families by category, large categories first; small ones beyond the first few are one."""
    counts: dict[str, Counter[str]] = {}
    for item in items:
        if item.classification:
            counts.setdefault(category_of(item), Counter())[item.classification.primary.family] += 1
    ordered = sorted(counts.items(), key=lambda entry: -entry[1].total())
    size = _CATEGORIES_SHOWN if len(ordered) > _CATEGORIES_SHOWN + 1 else len(ordered)
    shown = [Composition(name, _in_order(families)) for name, families in ordered[:size]]
    if others := ordered[size:]:
        gathered = _in_order(sum((families for _, families in others), Counter()))
        shown.append(Composition(f"{len(others)} others", gathered, gathers=True))
    return shown


def category_of(item: ResultItem) -> str:
    """Name an image's category, short enough for a chart."""
    return shortened(item.category.strip(), 28) if item.category else "no category"


def _in_order(families: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(families.items(), key=lambda entry: _ORDER.get(entry[0], len(_ORDER))))
