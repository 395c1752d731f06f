"""The results page: what there is to do, the colors of the batch, every image. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlencode

from schemas.api import Status
from schemas.findings import Summary, summary_of
from schemas.results import ResultItem, view_path
from schemas.results_words import counted
from schemas.summary_words import headline_of, lead_of
from services.ingest.pages.markup import attributes, page
from services.ingest.pages.view_chart import charts_of
from services.ingest.pages.view_rows import Wanted, rows_of

_FORMS: Final = (("csv", "CSV"), ("json", "JSON"), ("ndjson", "NDJSON"))
_LEAST_ACROSS: Final = 25
_MOST_ACROSS: Final = 50
_SORTS: Final = (
    ("todo", "what needs you first"),
    ("i", "as submitted"),
    ("h", "by color"),
    ("d", "by difference"),
    ("n", "by name"),
)


@dataclass(frozen=True)
class View:
    """What one results page shows; `token` is what opened it, and goes on into its links."""

    status: Status
    items: Sequence[ResultItem]
    token: str
    wanted: Wanted

    def address(self, name: str, value: str) -> str:
        """The address of the page that filters by one thing, or no longer if it does already."""
        now = {"show": self.wanted.show, "family": self.wanted.family, "category": self.wanted.category}
        asked = {name: value} if now[name] != value else {}
        return self.path("", asked | ({"pictures": "1"} if self.wanted.pictures else {}))

    def path(self, ending: str = "", query: dict[str, str] | None = None) -> str:
        """An address below this page."""
        return f"{view_path(self.status.id)}{ending}?{urlencode({'token': self.token} | (query or {}))}"


def view_page(view: View) -> str:
    """Write the page."""
    summary = summary_of(view.items)
    running = view.status.status == "in_progress"
    title = "Working on it" if running else headline_of(summary)
    live = attributes({"data-live": view.path("/events")}) if running else ""
    content = (
        f'<div id="view"{live}><p class="quiet">{_when(view.status)}</p><h1>{title}</h1>'
        f"{_progress(view.status) if running else f'<p>{lead_of(summary)}{_ending(summary)}</p>'}"
        f"{_mosaic(view.status.request_item_count, view.items)}"
        f'{_tiles(view, summary)}<div class="split">{charts_of(view.items, view.wanted, view.address)}'
        f"{_list(view)}</div>{_foot(view)}</div>"
    )
    return page(f"{title} - huestream", content, ["view.js"], _downloads(view))


def gone_page(title: str, words: str) -> str:
    """Write the page for a link that opens nothing."""
    return page(title, f'<div class="gone"><h1>{escape(title)}</h1><p>{escape(words)}</p></div>')


def _ending(summary: Summary) -> str:
    """Say why images are missing, where the batch ended before they were done."""
    if summary.canceled:
        return " The batch was canceled before the rest was done."
    is_late = any(item.error and str(item.error.code) == "timed_out" for item in summary.failures)
    return " The batch reached its deadline before all images were done." if is_late else ""


def _when(status: Status) -> str:
    until = f" &middot; kept until {status.expires_at:%B %-d, %Y}" if status.expires_at else ""
    return f"Color report &middot; submitted {status.created_at:%B %-d, %Y, %H:%M} UTC{until}"


def _progress(status: Status) -> str:
    done, total = status.response_item_count, status.request_item_count
    return (
        f'<div class="progress"><progress id="progress" max="{total}" value="{done}" '
        f'aria-label="Images done"></progress> <span id="done" role="status">{done} of {total} images done</span></div>'
    )


def _mosaic(size: int, items: Sequence[ResultItem]) -> str:
    """One tile for each image in the order of the batch, in the color that was found; those to come are empty."""
    found = {item.index: item.classification.primary.hex if item.classification else None for item in items}
    across = min(max(size, _LEAST_ACROSS), _MOST_ACROSS)
    tiles = "".join(
        f'<path id="m{index}" class="{_tile_class(index, found)}" d="M{index % across} {index // across}h.94v.94h-.94z"'
        f"{attributes({'fill': found.get(index)})}/>"
        for index in range(size)
    )
    down = (size + across - 1) // across
    return (
        f'<svg class="mosaic" viewBox="0 0 {across} {down}" role="img" aria-label="The colors of all images, '
        f'one tile each">{tiles}</svg>'
    )


def _tile_class(index: int, found: dict[int, str | None]) -> str:
    if index not in found:
        return "wait"
    return "hit" if found[index] else "miss"


def _tiles(view: View, summary: Summary) -> str:
    tiles = (
        (None, len(summary.items), "all images", ""),
        (
            "mismatch",
            len(summary.mismatches),
            "label to correct" if len(summary.mismatches) == 1 else "labels to correct",
            "bad",
        ),
        ("review", len(summary.reviews), "to look at", "mid"),
        ("failed", len(summary.failures), "failed", "bad"),
        ("canceled", len(summary.canceled), "canceled", "mid"),
    )
    shown = "".join(
        _tile(view, pile, number, words, style if number else "")
        for pile, number, words, style in tiles
        if number or pile != "canceled"
    )
    return f'<nav class="tiles" aria-label="Filter the images">{shown}</nav>'


def _tile(view: View, pile: str | None, number: int, words: str, style: str) -> str:
    is_all = pile is None and not (view.wanted.family or view.wanted.category)
    current = view.wanted.show == pile if pile else is_all and view.wanted.show is None
    everything = view.path("", {"pictures": "1"} if view.wanted.pictures else {})
    link = attributes(
        {
            "href": view.address("show", pile) if pile else everything,
            "data-by": "p",
            "data-value": pile or "",
            "aria-current": "true" if current else None,
        }
    )
    return f'<a{link}><b class="{style}">{number:,}</b> <span>{words}</span></a>'


def _list(view: View) -> str:
    sorts = "".join(f'<option value="{value}">{words}</option>' for value, words in _SORTS)
    shown = sum(1 for item in view.items if view.wanted.covers(item))
    pictures = {} if view.wanted.pictures else {"pictures": "1"}
    words = "Hide the pictures" if view.wanted.pictures else "Show the pictures"
    return (
        '<section class="list" aria-labelledby="list"><div class="bar-top"><h2 id="list">Images</h2>'
        f'<span class="quiet" id="shown" role="status">{counted(shown, "image")} shown</span>'
        '<input class="js" type="search" id="search" aria-label="Search" placeholder="Search" autocomplete="off">'
        f'<select class="js" id="sort" aria-label="Sort">{sorts}</select>'
        f'<a class="button" href="{escape(view.path("", pictures))}">{words}</a></div>'
        f"{rows_of(view.items, view.wanted)}</section>"
    )


def _downloads(view: View) -> str:
    links = "".join(
        f'<a href="{escape(view.path(f"/results.{ending}"))}" download="{view.status.id}.{ending}">{words}</a>'
        for ending, words in _FORMS
    )
    return f'<nav class="menu" aria-label="Download the results"><span>Download</span>{links}</nav>'


def _foot(view: View) -> str:
    return (
        f'<p class="quiet foot">Inference <code class="plain">{view.status.id}</code>. Pictures come from the hosts of '
        "the catalog, and only when you ask for them. &Delta;E is how far the label is from the nearest color of the "
        "product (CIEDE2000); below 2 hardly anybody sees it. Whoever has this link can read this one report until it "
        "expires.</p>"
    )
