"""The lists of the mail, one table row for each image. Pure; all text of customers is escaped.

A swatch has its color twice: as `bgcolor` for old programs, and as a gradient, which programs that turn colors around
in the dark leave alone. The label and what the image shows stand edge to edge, so that the eye compares them.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from schemas.classification import Classification
from schemas.findings import by_cause, by_reason, verdict_of
from schemas.results import ResultItem
from schemas.results_words import ADVICE, CAUSES, review_words, short_name, shortened

_VERDICTS: Final = {
    "agree": ("ok", "fits"),
    "near": ("mid", "close"),
    "disagree": ("bad", "differs"),
    None: ("q", ""),
}


def mismatch_rows(items: Sequence[ResultItem]) -> Iterator[str]:
    """Tell each label that is wrong beside the one that we would write."""
    for item in items:
        if item.classification and (label := item.classification.label):
            yield (
                f"<tr>{_swatch(label.hex, 'sl')}{_swatch(label.suggested_hex, 'sr')}<td>{_title(item)}<br>"
                f"<span class=q>{label.family} {_code(label.hex)} &rarr;</span> "
                f"<b>{escape(shortened(label.suggested_name, 24))}</b> {_code(label.suggested_hex)}</td></tr>"
            )


def review_rows(items: Sequence[ResultItem]) -> Iterator[str]:
    """Tell what is doubtful, gathered by why."""
    for reasons, found in by_reason(items):
        yield _cause("; ".join(map(review_words, reasons)), found)
        yield from (f"<tr>{_pair(each)}<td>{_title(item)}<br>{_said(each)}</td></tr>" for item, each in _of(found))


def failure_rows(items: Sequence[ResultItem]) -> Iterator[str]:
    """Tell what failed, gathered by cause, with what to do."""
    for code, found in by_cause(items):
        yield _cause(CAUSES.get(code, code), found, ADVICE.get(code, ""))
        yield from (
            f"<tr><td class=f colspan=3>{_title(item)} <span class=q>&middot; index {item.index}</span></td></tr>"
            for item in found
        )


def rest_rows(items: Sequence[ResultItem]) -> Iterator[str]:
    """Tell what needs nobody, one line each."""
    for item, found in _of(items):
        style, verdict = _VERDICTS[verdict_of(item)]
        yield (
            f"<tr>{_swatch(found.primary.hex)}<td class=q>{escape(short_name(item, 32))}</td>"
            f"<td class=v>{escape(found.primary.name)} {_code(found.primary.hex)}</td>"
            f'<td class="v {style}">{verdict}</td></tr>'
        )


def _of(items: Sequence[ResultItem]) -> Iterator[tuple[ResultItem, Classification]]:
    return ((item, item.classification) for item in items if item.classification)


def _said(found: Classification) -> str:
    label = f"<span class=q>{found.label.family} {_code(found.label.hex)}, image</span> " if found.label else ""
    return f"{label}{escape(found.primary.name)} {_code(found.primary.hex)}"


def _cause(title: str, items: Sequence[ResultItem], advice: str = "") -> str:
    number = f" <span class=q>{len(items)}</span>" if len(items) > 1 else ""
    told = f"<br><span class=q>{escape(advice)}</span>" if advice else ""
    heading = escape(shortened(f"{title[:1].upper()}{title[1:]}", 160))
    return f"<tr><td class=c colspan=3><b>{heading}</b>{number}{told}</td></tr>"


def _pair(found: Classification) -> str:
    if found.label is None:
        return f"<td class=s colspan=2 {_color(found.primary.hex)}></td>"
    return _swatch(found.label.hex, "sl") + _swatch(found.primary.hex, "sr")


def _swatch(color: str, style: str = "") -> str:
    name = f'"s {style}"' if style else "s"
    return f"<td class={name} {_color(color)}></td>"


def _color(color: str) -> str:
    return f'width=30 bgcolor="{color}" style="background-image:linear-gradient({color},{color})"'


def _code(color: str) -> str:
    return f"<span class=h>{color}</span>"


def _title(item: ResultItem) -> str:
    name = f"<span class=q>{escape(short_name(item, 36))}</span>"
    return f"<b>{escape(shortened(item.product_type, 36))}</b> {name}" if item.product_type else name
