"""What the demo shows at its end. Pure."""

from collections.abc import Sequence

from schemas.findings import verdict_of
from services.submit.submitting import Outcome
from services.submit.summary import short_name, summary_of
from services.terminal import printable, table

_FULL_TABLE = 40
_VERDICTS = {"agree": "agrees", "near": "is near", "disagree": "DIFFERS", None: ""}


def told(outcomes: Sequence[Outcome], *, colored: bool) -> str:
    """Show every picture of a small catalog, and the summary of a large one."""
    if len(outcomes) > _FULL_TABLE:
        return summary_of(outcomes, colored=colored)
    header = ["picture", "product", "label", "found", "verdict"]
    blocks = [_colors(outcome) for outcome in outcomes] if colored else ()
    return table(header, [_row(outcome) for outcome in outcomes], blocks)


def _row(outcome: Outcome) -> list[str]:
    return [
        short_name(outcome.image.image_path),
        printable(outcome.image.product_type, 16),
        outcome.image.hex_color_label or "",
        *_found(outcome),
    ]


def _found(outcome: Outcome) -> tuple[str, str]:
    result = outcome.result
    if result is None:
        return "", printable(outcome.trouble or "no result", 60)
    if result.classification is None:
        return "", f"error: {result.error.code}" if result.error else "error"
    primary = result.classification.primary
    verdict = _VERDICTS[verdict_of(result)]
    return f"{primary.hex} {printable(primary.name, 24)}", f"label {verdict}" if verdict else ""


def _colors(outcome: Outcome) -> list[str | None]:
    """The color of the label, and the one that was found."""
    label = outcome.image.hex_color_label
    if label and len(label) == 4:
        label = "#" + "".join(2 * digit for digit in label[1:])
    found = outcome.result.classification if outcome.result else None
    return [label, found.primary.hex if found else None]
