"""The results of a batch as a list, one entry for each image. Pure; all text of customers is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlsplit

from schemas.classification import Classification
from schemas.findings import Pile, category_of, pile_of, summary_of, verdict_of
from schemas.results import ResultItem
from schemas.results_words import ADVICE, CAUSES, review_words, short_name, shortened, verdict_words
from services.ingest.pages.markup import attributes, blocks

_STYLES: Final = {"agree": "ok", "near": "mid", "disagree": "bad", None: "quiet"}


@dataclass(frozen=True)
class Wanted:
    """What the address of the page asks for; all of it works without a script."""

    show: Pile | None = None
    family: str | None = None
    category: str | None = None
    pictures: bool = False

    def covers(self, item: ResultItem) -> bool:
        """Say whether an image is among those that are asked for."""
        family = item.classification.primary.family if item.classification else None
        return (
            (self.show is None or pile_of(item) == self.show)
            and (self.family is None or family == self.family)
            and (self.category is None or category_of(item) == self.category)
        )


def rows_of(items: Sequence[ResultItem], wanted: Wanted) -> str:
    """Write the list: what needs somebody first, the surest mismatch above all, then the rest as it was submitted."""
    summary = summary_of(items)
    piles = (summary.mismatches, summary.reviews, summary.failures, summary.canceled, summary.rest)
    ordered = [item for pile in piles for item in pile]
    style = "rows pics" if wanted.pictures else "rows"
    return (
        f'<ol class="{style}" id="rows">{"".join(_row(item, place, wanted) for place, item in enumerate(ordered))}</ol>'
    )


def image_origins(items: Sequence[ResultItem]) -> list[str]:
    """The origins of all images, as a policy names them; too many are all of http and https."""
    found = sorted({origin for item in items if (origin := _origin(item.image_path))})
    return found if len(found) <= 20 else ["https:", "http:"]


def _origin(address: str | None) -> str | None:
    try:
        parts = urlsplit(address or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not host.isascii() or set(host) & set(" ;,'\"*"):
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}"


def _row(item: ResultItem, place: int, wanted: Wanted) -> str:
    found = item.classification
    data = attributes(
        {
            "id": f"r{item.index}",
            "data-i": item.index,
            "data-o": place,
            "data-p": pile_of(item),
            "data-c": category_of(item),
            "data-f": found.primary.family if found else None,
            "data-h": f"{_hue_order(found):.0f}" if found else None,
            "data-d": f"{found.label.delta_e_2000:.1f}" if found and found.label else None,
            "hidden": not wanted.covers(item),
        }
    )
    return f"<li{data}>{_picture(item, wanted)}{_colors(found)}{_what(item)}{_details(item)}</li>"


def _hue_order(found: Classification) -> float:
    """Grays first by lightness, then around the circle of hues."""
    lightness, chroma, hue = found.primary.oklch
    return lightness * 99 if chroma < 0.04 else 100 + hue


def _picture(item: ResultItem, wanted: Wanted) -> str:
    if not wanted.pictures or _origin(item.image_path) is None:
        return ""
    source = escape(item.image_path or "")
    return f'<img class="pic" src="{source}" alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer">'


def _colors(found: Classification | None) -> str:
    """The label beside the color that was found, edge to edge, so that the eye compares; below it the palette."""
    if found is None:
        return '<div class="col none" aria-hidden="true">?</div>'
    pair = [(found.primary.hex, 1.0)]
    if found.label:
        pair.insert(0, (found.label.hex, 1.0))
    palette = [(entry.hex, entry.share) for entry in found.palette]
    return f'<div class="col">{blocks(pair, "pair")}{blocks(palette, "pal")}</div>'


def _what(item: ResultItem) -> str:
    product = f"<b>{escape(shortened(item.product_type, 60))}</b> " if item.product_type else ""
    return (
        f'<div class="what">{product}<span class="name">{escape(short_name(item, 60))}</span>'
        f'<span class="quiet">{escape(category_of(item))} &middot; index {item.index}</span></div>'
    )


def _details(item: ResultItem) -> str:
    found = item.classification
    if found is None:
        return _failure(item)
    label = found.label
    named = f"<span><i>label</i> <code>{label.hex}</code> {label.family}</span>" if label else ""
    distance = f' <span class="quiet">&Delta;E&nbsp;{label.delta_e_2000:.1f}</span>' if label else ""
    return (
        f'<div class="found">{named}<span>{_shown(found)}</span></div><div class="say">{_said(item, found)}{distance}'
        f"{_why(item, found)}</div>"
    )


def _shown(found: Classification) -> str:
    """Name the color of the image, or that of the label to write instead."""
    if found.label and found.label.verdict == "disagree":
        name = escape(shortened(found.label.suggested_name, 30))
        return f"<i>use</i> <code>{found.label.suggested_hex}</code> <b>{name}</b>"
    return f"<i>image</i> <code>{found.primary.hex}</code> {escape(found.primary.name)}"


def _said(item: ResultItem, found: Classification) -> str:
    if pile_of(item) == "review":
        return '<span class="mid">worth a look</span>'
    return f'<span class="{_STYLES[verdict_of(item)]}">{verdict_words(found) or "no label"}</span>'


def _why(item: ResultItem, found: Classification) -> str:
    if pile_of(item) != "review":
        return ""
    return f'<p class="quiet">{escape(shortened("; ".join(map(review_words, found.review_reasons)), 160))}</p>'


def _failure(item: ResultItem) -> str:
    code = str(item.error.code) if item.error else "internal"
    message = item.error.message if item.error else ""
    return (
        f'<div class="found"><span class="bad">{escape(CAUSES.get(code, code))}</span>'
        f'<span class="quiet">{escape(shortened(message, 160))}</span></div>'
        f'<div class="say"><span>{escape(ADVICE.get(code, ""))}</span></div>'
    )
