"""The subject and the plain text of the mail. Pure."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from schemas.findings import Composition, by_cause, by_reason, compositions, summary_of
from schemas.results import Report, ResultItem
from schemas.results_words import ADVICE, CAUSES, counted, review_words, short_name, shortened
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
    words = "Your label -> what the image shows; the surest come first. In front: the index."
    return _section("LABELS TO CORRECT", map(_mismatch, items), words)


def _mismatch(item: ResultItem) -> str:
    if item.classification is None or item.classification.label is None:
        return ""
    label = item.classification.label
    return (
        f"{item.index:4}  {_named(item)}\n"
        f"      {label.family} {label.hex} -> {shortened(label.suggested_name, 24)} {label.suggested_hex}"
    )


def _reviews(items: Sequence[ResultItem]) -> Iterator[str]:
    return _section("WORTH A LOOK", (line for why, found in by_reason(items) for line in _doubt(why, found)))


def _doubt(reasons: Sequence[str], items: Sequence[ResultItem]) -> Iterator[str]:
    why = "; ".join(map(review_words, reasons))
    yield from wrap(f"{why[:1].upper()}{why[1:]} ({len(items):,}).", _WIDTH)
    for item in items:
        if item.classification:
            primary = item.classification.primary
            yield f"{item.index:4}  {_named(item)}: {primary.name} {primary.hex}"


def _failures(items: Sequence[ResultItem]) -> Iterator[str]:
    return _section("IMAGES THAT FAILED", (line for code, found in by_cause(items) for line in _cause(code, found)))


def _cause(code: str, items: Sequence[ResultItem]) -> Iterator[str]:
    yield from wrap(f"{CAUSES.get(code, code)} ({len(items):,}). {ADVICE.get(code, '')}", _WIDTH)
    yield from (f"{item.index:4}  {_named(item)}" for item in items)


def _named(item: ResultItem) -> str:
    product = f"{shortened(item.product_type, 36)}, " if item.product_type else ""
    return f"{product}{short_name(item)}"


def _composition(composition: Composition) -> str:
    return f"{composition.category} ({composition.total}): {composition_words(composition)}"


def _line(item: ResultItem) -> str:
    if item.classification is None:
        return f"{item.index:4}  {'-':8} {'':18} {short_name(item)}"
    primary = item.classification.primary
    return f"{item.index:4}  {primary.hex:8} {primary.name:18} {short_name(item)}"
