"""The answer about one photo, as frozen values; `schemas/classification.py` is its published twin."""

from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

Family = Literal[
    "black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "beige"
]
FAMILIES: Final = cast("tuple[Family, ...]", get_args(Family))

BackgroundKind = Literal["plain", "gradient", "scene", "transparent", "none"]
Verdict = Literal["agree", "near", "disagree"]
Pattern = Literal["solid", "two-tone", "striped", "checked", "printed"]
Metal = Literal["silver", "gold", "copper"]
ReviewReason = Literal["low_confidence", "label_disagrees", "product_not_found", "color_cast"]


@dataclass(frozen=True)
class PrimaryColor:
    """The color of the product: one entry of the palette, told in full."""

    family: Family
    name: str
    fine_name: str
    hex: str
    rgb: tuple[int, int, int]
    lab: tuple[float, float, float]
    oklch: tuple[float, float, float]
    share: float


@dataclass(frozen=True)
class PaletteEntry:
    """One color of the product and the share of its area."""

    hex: str
    family: Family
    name: str
    share: float


@dataclass(frozen=True)
class Background:
    """What is behind the product: its kind, its colors, the fullest first, and its share of the frame."""

    kind: BackgroundKind
    hex: str | None
    colors: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class LabelVerdict:
    """How a label compares with the colors of the product."""

    hex: str
    family: Family
    verdict: Verdict
    match_probability: float
    delta_e_2000: float
    nearest: str
    suggested_hex: str
    suggested_name: str


@dataclass(frozen=True)
class ColorCast:
    """A tinted light, told by a background that should be neutral; the strength is its OKLab chroma."""

    hex: str
    strength: float
    corrected_hex: str


@dataclass(frozen=True)
class Alternative:
    """The family that comes second, and its probability."""

    family: Family
    probability: float


@dataclass(frozen=True)
class Analysis:
    """All that is told about the colors of one product image."""

    primary: PrimaryColor
    palette: tuple[PaletteEntry, ...]
    background: Background
    label: LabelVerdict | None
    pattern: Pattern
    multicolor: float
    metallic: Metal | None
    cast: ColorCast | None
    confidence: float
    alternative: Alternative
    needs_review: bool
    review_reasons: tuple[ReviewReason, ...]
