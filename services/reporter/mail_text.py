"""The subject and the plain text of the mail. Pure."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from schemas.findings import Composition, by_cause, compositions, summary_of
from schemas.results import Report, ResultItem
from schemas.results_words import ADVICE, CAUSES, counted, review_words, short_name
from schemas.summary_words import headline_of, lead_of

_WIDTH: Final = 78
_ENDINGS: Final = {
    "deadline": "The batch reached its deadline before all images were done; the report shows what there was.",
    "canceled": "The batch was canceled; the report shows what was done by then.",
}


def subject_of(report: Report) -> str:
    """Say the most important in one line; numbers only, no text of a customer."""
    summary = summary_of(report.items)
    parts = [counted(len(report.items), "image")]
    if summary.mismatches:
        parts.append(f"{counted(len(summary.mismatches), 'label')} to correct")
    if summary.failures:
        parts.append(f"{len(summary.failures):,} failed")
    if summary.canceled:
        parts.append(f"{len(summary.canceled):,} canceled")
    return f"Color report: {', '.join(parts)}"


def ending_of(report: Report) -> str:
    """Say why a batch ended before all its images were done; nothing where they were."""
    return _ENDINGS.get(report.reason, "")


def text_of(report: Report, link: str | None = None) -> str:
    """Write the report for a reader without HTML."""
    return "\n".join(_lines(report, link)) + "\n"


def composition_words(composition: Composition) -> str:
    """Count the families of a category in words."""
    return ", ".join(f"{family} {count}" for family, count in composition.families.items())


def _lines(report: Report, link: str | None) -> Iterator[str]:
    summary = summary_of(report.items)
    yield from (headline_of(summary), "=" * len(headline_of(summary)), "")
    yield from wrap(lead_of(summary), _WIDTH)
    yield from wrap(ending_of(report), _WIDTH)
    if link:
        yield from ("", "Look at the images beside their colors, filter and correct:", link)
    yield from _mismatches(summary.mismatches)
    yield from _reviews(summary.reviews)
    yield from _failures(summary.failures)
    yield from _section("THE COLORS OF THE BATCH", map(_composition, compositions(report.items)))
    yield from _section("THE OTHER IMAGES" if not summary.is_clean else "ALL IMAGES", map(_line, summary.rest))
    yield from _section("CANCELED", map(_line, summary.canceled))
    yield from ("", f"Inference {report.inference_id}", "Every detail is in the attached CSV and JSON files.")


def _section(title: str, lines: Iterator[str], words: str = "") -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", "", title, *([words] if words else []), *found)


def _mismatches(items: Sequence[ResultItem]) -> Iterator[str]:
    return _section("LABELS TO CORRECT", map(_mismatch, items), "Please replace each label by the suggested color.")


def _mismatch(item: ResultItem) -> str:
    if item.classification is None or item.classification.label is None:
        return ""
    label = item.classification.label
    return (
        f"{item.index:4}  {short_name(item)}\n"
        f"      label {label.hex} ({label.family}) -> suggested {label.suggested_hex} ({label.suggested_name})"
    )


def _reviews(items: Sequence[ResultItem]) -> Iterator[str]:
    return _section("WORTH A LOOK", map(_review, items), "We are less sure of these.")


def _review(item: ResultItem) -> str:
    if item.classification is None:
        return ""
    why = "; ".join(review_words(reason) for reason in item.classification.review_reasons)
    primary = item.classification.primary
    return f"{item.index:4}  {short_name(item)}: {primary.name} {primary.hex}{f' ({why})' if why else ''}"


def _failures(items: Sequence[ResultItem]) -> Iterator[str]:
    return _section("IMAGES THAT FAILED", (line for code, found in by_cause(items) for line in _cause(code, found)))


def _cause(code: str, items: Sequence[ResultItem]) -> Iterator[str]:
    yield f"{CAUSES.get(code, code)} ({len(items)}). {ADVICE.get(code, '')}"
    yield from (f"{item.index:4}  {short_name(item, 60)}" for item in items)


def _composition(composition: Composition) -> str:
    return f"{composition.category} ({composition.total}): {composition_words(composition)}"


def _line(item: ResultItem) -> str:
    if item.classification is None:
        return f"{item.index:4}  {'-':8} {'':18} {short_name(item)}"
    primary = item.classification.primary
    return f"{item.index:4}  {primary.hex:8} {primary.name:18} {short_name(item)}"
