"""What is told at the end of a submission: counts, and the labels that do not fit. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from schemas.findings import surest_first, verdict_of
from schemas.results import ResultItem
from schemas.results_words import counted
from services.submit.submitting import Outcome
from services.terminal import printable, table

_SHOWN: Final = 20
_NAME_WIDTH: Final = 32


def summary_of(outcomes: Sequence[Outcome], *, colored: bool) -> str:
    """Write the summary."""
    parts = [_counts(outcomes), _mismatches(outcomes, colored=colored), _failures(outcomes), _troubles(outcomes)]
    return "\n\n".join(part for part in parts if part)


def mismatches_of(outcomes: Sequence[Outcome]) -> list[ResultItem]:
    """Find the results whose label disagrees with the image, the surest first."""
    results = (outcome.result for outcome in outcomes if outcome.result)
    return surest_first([result for result in results if verdict_of(result) == "disagree"])


def _counts(outcomes: Sequence[Outcome]) -> str:
    classified = sum(1 for outcome in outcomes if outcome.result and outcome.result.status == "succeeded")
    failed = sum(1 for outcome in outcomes if outcome.result and outcome.result.status == "failed")
    differing = counted(len(mismatches_of(outcomes)), "label differs", "labels differ")
    counts = [f"{classified:,} classified", f"{differing} from the image", f"{failed:,} failed"]
    lost = len(outcomes) - classified - failed
    if lost:
        counts.append(f"{lost:,} without a result")
    return f"{counted(len(outcomes), 'image')}: {', '.join(counts)}."


def _mismatches(outcomes: Sequence[Outcome], *, colored: bool) -> str:
    found = [result for result in mismatches_of(outcomes) if result.classification and result.classification.label]
    rows, blocks = [], []
    for result in found[:_SHOWN]:
        if result.classification is None or result.classification.label is None:
            continue
        label = result.classification.label
        rows.append(
            [
                short_name(result.image_path, result.custom_id),
                printable(result.product_type or "", 20),
                f"{label.hex} {label.family}",
                f"{label.suggested_hex} {printable(label.suggested_name, 24)}",
            ]
        )
        blocks.append([label.hex, label.suggested_hex])
    if not rows:
        return ""
    listed = table(["image", "product", "label", "in the image"], rows, blocks if colored else ())
    return f"{listed}{_more(len(found))}"


def _failures(outcomes: Sequence[Outcome]) -> str:
    failed = [(outcome.result, outcome.result.error) for outcome in outcomes if outcome.result and outcome.result.error]
    rows = [
        [short_name(result.image_path, result.custom_id), error.code, printable(error.message, 60)]
        for result, error in failed[:_SHOWN]
    ]
    return f"{table(['image', 'error', 'what happened'], rows)}{_more(len(failed))}" if rows else ""


def _troubles(outcomes: Sequence[Outcome]) -> str:
    troubles = Counter(outcome.trouble for outcome in outcomes if outcome.trouble)
    return "\n".join(
        f"{counted(count, 'image')} without a result: {trouble}" for trouble, count in troubles.most_common(_SHOWN)
    )


def _more(count: int) -> str:
    return f"\nand {count - _SHOWN:,} more" if count > _SHOWN else ""


def short_name(image_path: str | None, custom_id: str | None = None) -> str:
    """Name an image as people do: by the customer's own id, or its file."""
    if custom_id:
        return printable(custom_id, _NAME_WIDTH)
    try:
        path = urlsplit(image_path or "").path
    except ValueError:
        path = ""
    return printable(unquote(path.rstrip("/").rpartition("/")[2]) or image_path or "?", _NAME_WIDTH)
