"""The color composition of a batch as charts whose parts are links that filter. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape

from schemas.findings import compositions
from schemas.results import ResultItem
from schemas.results_words import FAMILY_HEX
from services.ingest.pages.markup import attributes, blocks
from services.ingest.pages.view_rows import Wanted

Address = Callable[[str, str], str]
"""From what is filtered by, and its value, to the address of the page that shows only that."""


def charts_of(items: Sequence[ResultItem], wanted: Wanted, address: Address) -> str:
    """Draw a bar for each family and one for each category."""
    counts = Counter(item.classification.primary.family for item in items if item.classification)
    if not counts:
        return ""
    most = max(counts.values())
    families = "".join(
        _family(family, counts[family], most, address, chosen=wanted.family == family)  # type: ignore[index]
        for family in FAMILY_HEX
        if counts[family]  # type: ignore[index]
    )
    return (
        '<details class="charts" open><summary><h2>Colors</h2></summary>'
        f'<ul class="bars" aria-label="By color">{families}</ul>'
        f'<h3>By category</h3><ul class="stacks">{_categories(items, wanted, address)}</ul></details>'
    )


def _family(family: str, count: int, most: int, address: Address, *, chosen: bool) -> str:
    link = attributes(
        {
            "href": address("family", family),
            "data-by": "f",
            "data-value": family,
            "aria-current": "true" if chosen else None,
        }
    )
    bar = blocks([(FAMILY_HEX[family], count), ("none", most - count)], "bar")
    return f"<li><a{link}><span>{family}</span>{bar}<b>{count}</b></a></li>"


def _categories(items: Sequence[ResultItem], wanted: Wanted, address: Address) -> str:
    found = compositions(items)
    most = max(each.total for each in found)
    shown = []
    for each in found:
        link = attributes(
            {
                "href": address("category", each.category),
                "data-by": "c",
                "data-value": each.category,
                "aria-current": "true" if wanted.category == each.category else None,
            }
        )
        colors = [(FAMILY_HEX.get(family, "#808080"), float(count)) for family, count in each.families.items()]
        spoken = ", ".join(f"{family} {count}" for family, count in each.families.items())
        bar = blocks([*colors, ("none", most - each.total)], "bar", spoken)
        told = f"<span>{escape(each.category)}</span>{bar}<b>{each.total}</b>"
        shown.append(f"<li><p>{told}</p></li>" if each.gathers else f"<li><a{link}>{told}</a></li>")
    return "".join(shown)
