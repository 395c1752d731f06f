"""The HTML of the mail: tables and inline styles, no remote content, right in light and dark. Pure.

Mail programs clip what is longer than about 100 kB: each list ends where its part of `BUDGET_BYTES` is spent, and
says how many more there are. A swatch has its color twice: as `bgcolor` for old programs, and as a gradient, which
programs that turn colors around in the dark leave alone.
"""

from collections.abc import Iterable
from html import escape
from typing import Final

from schemas.findings import Pile, Summary, summary_of
from schemas.results import Report
from schemas.results_words import counted
from schemas.summary_words import headline_of, lead_of
from services.reporter.mail_chart import chart_of
from services.reporter.mail_rows import failure_rows, mismatch_rows, rest_rows, review_rows
from services.reporter.mail_style import FONT, MONO, QUIET, STYLE
from services.reporter.mail_text import ending_of, subject_of

BUDGET_BYTES: Final = 78_000
_LISTS: Final[dict[Pile, int]] = {"mismatch": 22_000, "review": 9_000, "failed": 9_000}
_FOOT_BYTES: Final = 1_500


def html_of(report: Report, link: str | None = None, picture: str | None = None) -> str:
    """Write the report; `link` leads to the results page, `picture` is the Content-ID of the strips."""
    summary = summary_of(report.items)
    body = "".join(
        (
            _head(report, summary, link, picture),
            _to_correct(summary, link),
            _to_look_at(summary, link),
            _failed(summary, link),
            chart_of(report.items),
        )
    )
    left = BUDGET_BYTES - len(body.encode()) - len(STYLE) - _FOOT_BYTES
    return _page(report, summary, f"{body}{_others(summary, left, link)}{_foot(report)}")


def _page(report: Report, summary: Summary, body: str) -> str:
    return (
        '<!doctype html><html lang="en" xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        "<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch>"
        "</o:OfficeDocumentSettings></xml><![endif]-->"
        f"<title>{subject_of(report)}</title><style>{STYLE}</style></head>"
        f'<body class="b" bgcolor="#F3F1ED" style="margin:0;padding:0;background:#F3F1ED;{FONT}">'
        '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">'
        f"{lead_of(summary)}{'&#847;&zwnj;&nbsp;' * 20}</div>"
        '<div role="article" aria-roledescription="email" aria-label="Color report" lang="en">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td align="center" class="o" style="padding:24px 8px">'
        '<!--[if mso]><table role="presentation" width="640"><tr><td><![endif]-->'
        '<table role="presentation" class="p" width="100%" cellpadding="0" cellspacing="0" border="0" '
        'bgcolor="#FFFFFF" style="max-width:640px;background:#FFFFFF;border-radius:14px">'
        f'<tr><td class="in" style="padding:28px;{FONT}font-size:15px;line-height:22px;color:#23211F;'
        'overflow-wrap:anywhere" align="left">'
        f"{body}</td></tr></table><!--[if mso]></td></tr></table><![endif]--></td></tr></table></div></body></html>"
    )


def _head(report: Report, summary: Summary, link: str | None, picture: str | None) -> str:
    ending = f'<p style="margin:8px 0 0">{escape(ending_of(report))}</p>' if ending_of(report) else ""
    finished = f"{report.finished_at:%B %-d, %Y, %H:%M} UTC"
    return (
        f"{_strips(picture)}"
        f'<p class="q" style="margin:0 0 6px;{QUIET}">Color report &middot; {finished}</p>'
        f'<h1 style="margin:0 0 6px;font-size:26px;line-height:32px;font-weight:600">{headline_of(summary)}</h1>'
        f'<p style="margin:0">{lead_of(summary)}</p>{ending}{_tiles(summary)}{_button(link)}'
    )


def _strips(picture: str | None) -> str:
    if picture is None:
        return ""
    return (
        f'<img src="cid:{picture}" width="584" height="56" alt="The colors of all images, side by side" '
        'style="display:block;width:100%;max-width:584px;height:56px;border:0;border-radius:8px;margin:0 0 22px;'
        'box-shadow:0 0 0 1px rgba(128,128,128,.3)">'
    )


def _tiles(summary: Summary) -> str:
    told = (
        (summary.classified, "classified", ""),
        (len(summary.mismatches), "to correct", "bad" if summary.mismatches else ""),
        (len(summary.reviews), "to look at", "mid" if summary.reviews else ""),
        (len(summary.failures), "failed", "bad" if summary.failures else ""),
        *([(len(summary.canceled), "canceled", "mid")] if summary.canceled else []),
    )
    tiles = "".join(
        f'<td class="t" width="{100 // len(told)}%" style="padding:12px 6px 12px 0" valign="top"><span class="{style}" '
        f'style="font-size:22px;line-height:26px;font-weight:600">{number:,}</span><br>'
        f'<span class="q" style="{QUIET}">{what}</span></td>'
        for number, what, style in told
    )
    return (
        '<table role="presentation" class="l" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="margin:18px 0 0"><tr>{tiles}</tr></table>'
    )


def _button(link: str | None) -> str:
    if link is None:
        return ""
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:10px 0 0"><tr>'
        '<td bgcolor="#23211F" class="btn" style="border-radius:8px;background:#23211F">'
        f'<a href="{escape(link)}" target="_blank" style="display:inline-block;padding:11px 20px;color:#FFFFFF;'
        'text-decoration:none;font-weight:600">See the images and their colors</a></td></tr></table>'
    )


def _fitting(rows: Iterable[str], budget: int) -> tuple[str, int]:
    """Take rows while they fit; returns them and how many were left out."""
    taken, left_out = [], 0
    for row in rows:
        budget -= len(row.encode())
        if budget < 0:
            left_out += 1
        else:
            taken.append(row)
    return "".join(taken), left_out


def _to_correct(summary: Summary, link: str | None) -> str:
    title, words = "Please correct this label", "On the left your label, beside it what the image shows."
    if len(summary.mismatches) > 1:
        title, words = "Please correct these labels", f"{words} The surest come first."
    return _section("mismatch", title, mismatch_rows(summary.mismatches), link, words)


def _to_look_at(summary: Summary, link: str | None) -> str:
    return _section("review", "Worth a look", review_rows(summary.reviews), link)


def _failed(summary: Summary, link: str | None) -> str:
    title = "This image failed" if len(summary.failures) == 1 else "These images failed"
    return _section("failed", title, failure_rows(summary.failures), link)


def _others(summary: Summary, budget: int, link: str | None) -> str:
    size = len(summary.rest)
    title = (
        "All images" if summary.is_clean else f"The other {counted(size, 'image')}" if size > 1 else "One more image"
    )
    return _section("rest", title, rest_rows(summary.rest), link, budget=budget)


def _section(
    pile: Pile, title: str, rows: Iterable[str], link: str | None, words: str = "", budget: int | None = None
) -> str:
    """Write a list as far as its part of the mail goes, and where the rest of it is; nothing where it is empty."""
    listed, left_out = _fitting(rows, _LISTS[pile] if budget is None else budget)
    if not listed and not left_out:
        return ""
    explained = f'<p class="q" style="margin:0 0 8px;{QUIET}">{words}</p>' if words else ""
    where = (
        f'<a class="q" href="{escape(f"{link}&show={pile}")}" target="_blank">on the results page</a>'
        if link
        else "in the attached files"
    )
    more = f'<p class="q" style="margin:8px 0 0;{QUIET}">And {left_out:,} more {where}.</p>' if left_out else ""
    return (
        f'<h2 style="margin:34px 0 4px;font-size:18px;line-height:24px;font-weight:600">{title}</h2>{explained}'
        f'<table class="{"l k" if pile == "rest" else "l"}" role="presentation" width="100%" cellpadding="0" '
        f'cellspacing="6" border="0" style="border-collapse:separate;border-spacing:0 {5 if pile == "rest" else 9}px">'
        f"{listed}</table>{more}"
    )


def _foot(report: Report) -> str:
    return (
        f'<p class="q" style="margin:30px 0 0;{QUIET}">Inference <span style="{MONO}">{report.inference_id}</span><br>'
        "Every detail is in the attached CSV and JSON files. Colors were measured on the images as their hosts served "
        "them when the batch ran.</p>"
    )
