"""What all pages share: the frame around them, and colors drawn as SVG, which needs no inline style. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from services.ingest.pages.assets import asset_path

_POLICY: Final = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def page_headers(images_from: Sequence[str] = ()) -> dict[str, str]:
    """The headers of a page: nothing is loaded from anywhere else, but images from these origins."""
    policy = _POLICY | {"img-src": " ".join(("'self'", *images_from))}
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
    }


def page(title: str, content: str, scripts: Sequence[str] = (), menu: str = "") -> str:
    """Put a frame around content, which is HTML."""
    loaded = "".join(f'<script src="{asset_path(script)}" defer></script>' for script in scripts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>"
        f'<link rel="icon" href="{asset_path("icon.svg")}" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{asset_path("pages.css")}">{loaded}</head><body>'
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header class="top"><a class="brand" href="/docs"><img src="{asset_path("icon.svg")}" alt="" width="22" '
        f'height="22"> huestream</a>{menu}</header>'
        f'<main id="main">{content}</main></body></html>'
    )


def blocks(colors: Sequence[tuple[str, float]], name: str, label: str = "") -> str:
    """Draw colors side by side, each as wide as its share; with a label it is a picture for screen readers too."""
    total = sum(share for _, share in colors) or 1.0
    drawn, x = [], 0.0
    for color, share in colors:
        width = 100 * share / total
        drawn.append(f'<path fill="{color}" d="M{x:.4g} 0h{width + 0.3:.4g}v1H{x:.4g}z"/>')
        x += width
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return f'<svg class="{name}" viewBox="0 0 100 1" preserveAspectRatio="none" {spoken}>{"".join(drawn)}</svg>'


def shown_json(document: object) -> str:
    r"""Write a document for people to read, as HTML; numbers that belong together stand on one line.

    >>> shown_json({"rgb": [247, 44, 58]})
    '{\n  "rgb": [ 247, 44, 58 ]\n}'
    """
    text = re.sub(r"\[[\s\d.,e-]+\]", lambda found: " ".join(found[0].split()), json.dumps(document, indent=2))
    return escape(text, quote=False)


def attributes(values: Mapping[str, object]) -> str:
    """Write attributes; those that are None or False are left out, True stands alone."""
    return "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in values.items()
        if value is not None and value is not False
    )
