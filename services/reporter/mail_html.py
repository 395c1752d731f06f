"""The HTML of the mail: tables and swatches, no remote content, right in light and dark. Pure.

Mail clients clip what is longer than about 100 kB: a row of the long list stays under 300 bytes.
"""

from collections.abc import Iterable, Iterator
from html import escape

from schemas.results import Report, ResultItem
from services.reporter.mail_text import counted, ending_of, failed_of, subject_of
from services.reporter.summary import ADVICE, Summary, short_name, summary_of, verdict_of

_STYLE = """
body{margin:0;padding:0;background:#f4f2ee;color:#23211f;
font:15px/1.45 -apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.page{width:100%;max-width:680px;margin:0 auto;background:#fff;border-radius:12px}
.in{padding:0 28px}
h1{font-size:24px;line-height:1.25;margin:0;font-weight:600}
h2{font-size:17px;margin:30px 0 4px;font-weight:600}
p{margin:4px 0 10px}
.q{color:#6f6a64;font-size:13px}
.big{font-size:26px;font-weight:600;line-height:1.1}
.l{width:100%;border-collapse:separate;border-spacing:0}
.l td{border-top:1px solid #ebe7e1;padding:7px 10px 7px 0;vertical-align:middle}
.l .s{width:30px;padding:0;border:5px solid transparent;border-width:5px 0;border-radius:12px/12px;
background-clip:padding-box;box-shadow:inset 0 0 0 1px rgba(128,128,128,.28)}
.l .g{width:10px;padding:0}
.n{width:30px;color:#8d877f;font-size:12px}
.v{text-align:right;font-size:13px;white-space:nowrap}
.bad{color:#b3261e}.ok{color:#3c7a3f}.mid{color:#8a6100}
.h{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px}
@media (max-width:480px){.in{padding:0 16px}.big{font-size:22px}.l td{padding-right:7px}}
@media (prefers-color-scheme:dark){body{background:#161514;color:#ece8e2}.page{background:#211f1d}
.l td{border-color:#383532}.l .s{border-color:transparent}.q,.n{color:#a8a199}
.bad{color:#ff9088}.ok{color:#8fd694}.mid{color:#e5bd62}}
"""
_VERDICTS = {
    "agree": ("ok", "label agrees"),
    "near": ("mid", "label is near"),
    "disagree": ("bad", "label differs"),
    None: ("q", ""),
}


def html_of(report: Report) -> str:
    """Write the report; all text of customers is escaped, and nothing is linked."""
    summary = summary_of(report)
    sections = "".join(
        [_mismatches(summary), _reviews(summary), _failures(summary), _section("All images", _rows(summary))]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{subject_of(report)}</title><style>{_STYLE}</style></head><body>"
        f'<div style="display:none;max-height:0;overflow:hidden">{_preview(summary)}</div>'
        '<table role="presentation" class="page" cellpadding="0" cellspacing="0" align="center">'
        f'<tr><td class="in">{_head(report, summary)}{sections}{_foot(report)}</td></tr></table></body></html>'
    )


def _preview(summary: Summary) -> str:
    return f"{counted(len(summary.mismatches), 'label')} to correct, {len(summary.failures)} failed."


def _head(report: Report, summary: Summary) -> str:
    ending = f"<p>{ending_of(report)}</p>" if ending_of(report) else ""
    tiles = "".join(
        f'<td style="padding:14px 0;width:25%;vertical-align:top"><div class="big {style}">{number}</div>'
        f'<div class="q">{what}</div></td>'
        for number, what, style in (
            (summary.classified, "classified", ""),
            (len(summary.mismatches), "labels to correct", "bad" if summary.mismatches else ""),
            (len(summary.reviews), "to look at", "mid" if summary.reviews else ""),
            (len(summary.failures), "failed", "bad" if summary.failures else ""),
        )
    )
    return (
        f"{_band(summary)}<h1>Color report</h1>"
        f'<p class="q">{counted(len(report.items), "image")}, finished {report.finished_at:%B %-d, %Y, %H:%M} UTC</p>'
        f'{ending}<table role="presentation" class="l" cellpadding="0" cellspacing="0"><tr>{tiles}</tr></table>'
    )


def _band(summary: Summary) -> str:
    """Draw the colors of the batch as a band: one cell for each image, in order of hue."""
    found = [item.classification.primary for item in summary.items if item.classification]
    ordered = sorted(found, key=lambda color: (color.oklch[1] < 0.04, round(color.oklch[2] / 24), color.oklch[0]))
    step = max(1, len(ordered) // 60)
    cells = "".join(f'<td bgcolor="{color.hex}" height="14"></td>' for color in ordered[::step])
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" '
        f'style="margin:24px 0 20px;border-radius:7px;overflow:hidden"><tr>{cells}</tr></table>'
    )


def _section(title: str, rows: Iterable[str], words: str = "") -> str:
    explained = f'<p class="q">{words}</p>' if words else ""
    return f'<h2>{title}</h2>{explained}<table class="l" cellpadding="0" cellspacing="0">{"".join(rows)}</table>'


def _mismatches(summary: Summary) -> str:
    if not summary.mismatches:
        return ""
    words = "Left: the color of your label. Right: the color of the product in the image."
    return _section("Labels to correct", (_mismatch(item) for item in summary.mismatches), words)


def _mismatch(item: ResultItem) -> str:
    if item.classification is None or item.classification.label is None:
        return ""
    label = item.classification.label
    return (
        f'<tr>{_number(item)}<td class="s" bgcolor="{label.hex}"></td><td class="g"></td>'
        f'<td class="s" bgcolor="{label.suggested_hex}"></td><td class="g"></td><td>{_title(item)}<br>'
        f'<span class="q">labeled {label.family} <span class="h">{label.hex}</span></span></td>'
        f'<td class="v"><b>{escape(label.suggested_name)}</b><br><span class="h">{label.suggested_hex}</span></td></tr>'
    )


def _reviews(summary: Summary) -> str:
    if not summary.reviews:
        return ""
    words = "We are less sure of these. A short look is worth it."
    return _section("Please look at these", (_review(item) for item in summary.reviews), words)


def _review(item: ResultItem) -> str:
    if item.classification is None:
        return ""
    reasons = ", ".join(reason.replace("_", " ") for reason in item.classification.review_reasons)
    return (
        f'<tr>{_number(item)}{_swatch(item)}<td>{_title(item)}<br><span class="q">{escape(reasons)}</span></td>'
        f'<td class="v">{escape(item.classification.primary.name)}</td></tr>'
    )


def _failures(summary: Summary) -> str:
    if not summary.failures:
        return ""
    return _section("Images that failed", (_failure(item) for item in summary.failures))


def _failure(item: ResultItem) -> str:
    if item.error is None:
        return ""
    return (
        f'<tr>{_number(item)}<td>{_title(item)}<br><span class="bad">{escape(item.error.message)}.</span> '
        f'<span class="q">{ADVICE[item.error.code]}</span></td></tr>'
    )


def _rows(summary: Summary) -> Iterator[str]:
    for item in summary.items:
        style, verdict = ("bad", failed_of(item)) if item.error else _VERDICTS[verdict_of(item)]
        yield f'<tr>{_number(item)}{_swatch(item)}<td>{_color(item)}</td><td class="v {style}">{verdict}</td></tr>'


def _color(item: ResultItem) -> str:
    name = f'<span class="q">{escape(short_name(item, 32))}</span>'
    if item.classification is None:
        return name
    primary = item.classification.primary
    return f'{escape(primary.name)} <span class="h">{primary.hex}</span><br>{name}'


def _number(item: ResultItem) -> str:
    return f'<td class="n">{item.index}</td>'


def _swatch(item: ResultItem) -> str:
    if item.classification is None:
        return '<td class="g"></td><td class="g"></td>'
    return f'<td class="s" bgcolor="{item.classification.primary.hex}"></td><td class="g"></td>'


def _title(item: ResultItem) -> str:
    product = f"{escape(item.product_type[:60])} " if item.product_type else ""
    return f'<b>{product}</b><span class="q">{escape(short_name(item))}</span>'


def _foot(report: Report) -> str:
    return (
        '<p class="q" style="padding:22px 0 26px">Inference '
        f'<span class="h">{report.inference_id}</span>. Every detail is in the attached CSV file. '
        "Colors are measured on the images as they were on their hosts when the batch ran.</p>"
    )
