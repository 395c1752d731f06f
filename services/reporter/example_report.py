"""A report to look at: what a shop's batch might give. Pure, the same for the same size."""

import colorsys
import math
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.classification import Background, Classification, LabelVerdict, PaletteEntry, PrimaryColor
from schemas.events import ItemError
from schemas.fields import Family, ItemErrorCode
from schemas.results import Report, ResultItem

_BEGAN: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
_INFERENCE_ID: Final = "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10"
_COLORS: Final[tuple[tuple[str, Family, str], ...]] = (
    ("#1D1E22", "black", "jet black"),
    ("#F4F1EA", "white", "ivory"),
    ("#2C5FA8", "blue", "cobalt"),
    ("#C8243B", "red", "crimson"),
    ("#8E9298", "gray", "slate gray"),
    ("#22345E", "blue", "navy"),
    ("#8A5A34", "brown", "saddle brown"),
    ("#1E7A5A", "green", "emerald"),
    ("#E59AAE", "pink", "rose"),
    ("#D7C3A2", "beige", "sand"),
    ("#E8742C", "orange", "tangerine"),
    ("#D9A62E", "yellow", "mustard"),
    ("#6B4A9C", "purple", "amethyst"),
    ("#7FA6D6", "blue", "sky blue"),
)
_PRODUCTS: Final = (
    ("T-shirt", "Fashion"),
    ("Summer dress", "Fashion"),
    ("Sneaker", "Shoes"),
    ("Coffee mug", "Kitchen"),
    ("Handbag", "Bags"),
    ("Armchair", "Furniture"),
    ("Knitted sweater", "Fashion"),
    ("Ankle boot", "Shoes"),
)
_ERRORS: Final[tuple[tuple[ItemErrorCode, str], ...]] = (
    ("fetch_http_status", "The image host answered with status 404"),
    ("image_unsupported_format", "The file is not a JPEG, PNG, WEBP or GIF image"),
    ("fetch_timeout", "The image host did not answer in time"),
)


def example_report(size: int = 64) -> Report:
    """Make a report of so many images: some labels differ, some images are doubtful, some failed."""
    return Report(
        inference_id=_INFERENCE_ID,
        key_id="9346a06bae56",
        reason="complete",
        submitted_at=_BEGAN,
        finished_at=_BEGAN + timedelta(seconds=9),
        items=tuple(_item(index) for index in range(size)),
    )


def _item(index: int) -> ResultItem:
    product_type, category = _PRODUCTS[(index * 5 + index // 7) % len(_PRODUCTS)]
    color = _COLORS[(index * 3 + index // 5) % len(_COLORS)]
    failed = index % 23 == 17
    name = f"{product_type.lower().replace(' ', '-')}-{1000 + 7 * index}"
    error = _ERRORS[index // 23 % len(_ERRORS)]
    found = None if failed else _classification(index, color)
    return ResultItem(
        index=index,
        image_path=f"https://shop.example/images/{name}.jpg",
        product_type=product_type,
        hex_color_label=found.label.hex if found and found.label else color[0],
        category=category,
        status="failed" if failed else "succeeded",
        classification=found,
        error=ItemError(code=error[0], message=error[1]) if failed else None,
    )


def _classification(index: int, color: tuple[str, Family, str]) -> Classification:
    wrong, near, unsure = index % 13 == 4, index % 11 == 6, index % 19 == 8
    hex_color, family, name = color
    labeled = _COLORS[(index + 5) % len(_COLORS)] if wrong and _COLORS[(index + 5) % len(_COLORS)] != color else color
    second = _COLORS[(index + 4) % len(_COLORS)]
    share = 0.95 - 0.4 * ((index * 37) % 10) / 10
    return Classification(
        primary=_primary(hex_color, family, name, share),
        palette=(
            PaletteEntry(hex=hex_color, family=family, name=name, share=share),
            PaletteEntry(hex=second[0], family=second[1], name=second[2], share=round(1 - share, 3)),
        ),
        background=Background(kind="plain", hex="#FFFFFF", share=0.5),
        label=LabelVerdict(
            hex=labeled[0],
            family=labeled[1],
            verdict="disagree" if labeled != color else "near" if near else "agree",
            delta_e_2000=38.2 if labeled != color else 7.9 if near else 2.1,
            nearest=hex_color,
            suggested_hex=hex_color,
            suggested_name=name,
        ),
        pattern="solid" if share > 0.7 else "two-tone",
        confidence=0.48 if unsure else 0.94,
        needs_review=unsure or labeled != color,
        review_reasons=("low_confidence", "product_not_found") if unsure else (),
    )


def _primary(hex_color: str, family: Family, name: str, share: float) -> PrimaryColor:
    """Describe a color; the coordinates only order the example, they are not measured."""
    red, green, blue = bytes.fromhex(hex_color[1:])
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    angle = 2 * math.pi * hue
    return PrimaryColor(
        family=family,
        name=name,
        fine_name=name.title(),
        hex=hex_color,
        rgb=(red, green, blue),
        lab=(100 * lightness, 60 * saturation * math.cos(angle), 60 * saturation * math.sin(angle)),
        oklch=(round(lightness, 3), round(0.25 * saturation, 3), round(360 * hue, 1)),
        share=share,
    )
