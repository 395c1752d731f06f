"""The subject and the plain text of the mail. Pure."""

from collections.abc import Iterator

from schemas.results import Report, ResultItem
from services.reporter.summary import ADVICE, short_name, summary_of


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Count something.

    >>> counted(1, "image"), counted(2, "image")
    ('1 image', '2 images')
    """
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"


def subject_of(report: Report) -> str:
    """Say the most important in one line; numbers only, no text of a customer."""
    summary = summary_of(report)
    parts = [counted(len(report.items), "image")]
    if summary.mismatches:
        parts.append(f"{counted(len(summary.mismatches), 'label')} to correct")
    if summary.failures:
        parts.append(f"{len(summary.failures)} failed")
    if summary.canceled:
        parts.append(f"{summary.canceled} canceled")
    return f"Color report: {', '.join(parts)}"


def text_of(report: Report) -> str:
    """Write the report for a reader without HTML."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    summary = summary_of(report)
    yield subject_of(report)
    yield ""
    yield f"{summary.classified} classified, {len(summary.mismatches)} labels to correct, "
    yield f"{len(summary.reviews)} to look at, {len(summary.failures)} failed."
    if ending := ending_of(report):
        yield ending
    if summary.mismatches:
        yield from ("", "LABELS TO CORRECT")
        yield from (_mismatch(item) for item in summary.mismatches)
    if summary.failures:
        yield from ("", "IMAGES THAT FAILED")
        yield from (_failure(item) for item in summary.failures)
    yield from ("", "ALL IMAGES")
    yield from (_line(item) for item in report.items)
    yield from ("", f"Inference {report.inference_id}. All details are in the attached CSV file.")


def ending_of(report: Report) -> str:
    """Say why a batch ended before all its images were done; nothing where they were."""
    if report.reason == "canceled":
        return f"The batch was canceled: {counted(summary_of(report).canceled, 'image')} not classified."
    if report.reason == "deadline":
        return "The batch reached its deadline before all images were classified."
    return ""


def _mismatch(item: ResultItem) -> str:
    if item.classification is None or item.classification.label is None:
        return ""
    label = item.classification.label
    return (
        f"{item.index:4}  {short_name(item)}: label {label.hex} ({label.family}), "
        f"looks {item.classification.primary.name}; suggested {label.suggested_hex} ({label.suggested_name})"
    )


def _failure(item: ResultItem) -> str:
    return f"{item.index:4}  {short_name(item)}: {item.error.message}. {ADVICE[item.error.code]}" if item.error else ""


def failed_of(item: ResultItem) -> str:
    """Name the state of an image without a classification."""
    return "canceled" if item.error and item.error.code == "canceled" else "failed"


def _line(item: ResultItem) -> str:
    if item.classification is None:
        return f"{item.index:4}  {'-':8} {failed_of(item):18} {short_name(item)}"
    primary = item.classification.primary
    return f"{item.index:4}  {primary.hex:8} {primary.name:18} {short_name(item)}"
