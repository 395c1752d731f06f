"""The color composition of a batch as a chart of table cells, with the same in words. Pure."""

from collections.abc import Sequence
from html import escape

from schemas.findings import Composition, compositions
from schemas.results import ResultItem
from schemas.results_words import FAMILY_HEX
from services.reporter.mail_style import QUIET
from services.reporter.mail_text import composition_words


def chart_of(items: Sequence[ResultItem]) -> str:
    """Draw a bar for each category, divided by color family."""
    found = compositions(items)
    if not found:
        return ""
    most = max(each.total for each in found)
    rows = "".join(_bar(each, most) for each in found)
    return (
        '<h2 style="margin:34px 0 8px;font-size:18px;line-height:24px;font-weight:600">The colors of the batch</h2>'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">{rows}</table>'
    )


def _bar(composition: Composition, most: int) -> str:
    width = max(12, round(100 * composition.total / most))
    cells = "".join(_cell(family, count, composition.total) for family, count in composition.families.items())
    return (
        f'<tr><td style="padding:0 0 12px"><p style="margin:0 0 3px;font-size:14px;line-height:19px">'
        f'<b>{escape(composition.category)}</b> <span class="q" style="{QUIET}">{composition.total:,}</span></p>'
        f'<table role="presentation" width="{width}%" cellpadding="0" cellspacing="0" border="0" '
        f'style="border-radius:5px;overflow:hidden;border:1px solid #CFC9C0"><tr>{cells}</tr></table>'
        f'<p class="q" style="margin:3px 0 0;{QUIET}">{composition_words(composition)}</p></td></tr>'
    )


def _cell(family: str, count: int, total: int) -> str:
    color = FAMILY_HEX.get(family, "#808080")
    return (
        f'<td width="{max(1, round(100 * count / total))}%" height="14" bgcolor="{color}" '
        f'style="height:14px;font-size:0;line-height:0;background-image:linear-gradient({color},{color})">&nbsp;</td>'
    )
