"""A whole batch in a sentence or two, as the mail and the results page begin."""

from collections.abc import Sequence

from schemas.findings import Summary, verdict_of
from schemas.results import ResultItem
from schemas.results_words import counted


def headline_of(summary: Summary) -> str:
    """Say in a few words what there is to do."""
    if summary.mismatches:
        return f"{counted(len(summary.mismatches), 'label')} to correct"
    if summary.reviews:
        return f"{counted(len(summary.reviews), 'image')} to look at"
    if summary.failures:
        return f"{counted(len(summary.failures), 'image')} could not be classified"
    return "The batch was canceled" if summary.canceled else "All good, nothing to do"


def lead_of(summary: Summary) -> str:
    """Say in one or two sentences how the batch went."""
    size, labeled = len(summary.items), _labeled(summary.items)
    if not summary.classified:
        return "Below is why, and what to do." if summary.failures else "None of its images was done."
    done = f"We found the color of {_of(summary.classified, size)}."
    if not labeled:
        return done
    if not summary.mismatches:
        return f"{done} Every label fits or is close." if labeled > 1 else f"{done} The label fits."
    close = sum(1 for item in summary.items if verdict_of(item) == "near")
    fitting = labeled - len(summary.mismatches) - close
    near = f" {close:,} {'is' if close == 1 else 'are'} close," if close else ""
    return f"{done} {counted(fitting, 'label fits', 'labels fit')},{near} {_do_not(len(summary.mismatches))}."


def _of(number: int, size: int) -> str:
    if number == size:
        return "the image" if size == 1 else f"all {size:,} images"
    return f"{number:,} of {counted(size, 'image')}"


def _do_not(number: int) -> str:
    return "1 does not" if number == 1 else f"{number:,} do not"


def _labeled(items: Sequence[ResultItem]) -> int:
    return sum(1 for item in items if item.classification and item.classification.label)
