"""What the analysis of one image says: the member `classification` of a result.

The analysis itself builds the same values in `services.classifier.color.analysis`; the two change together.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.fields import Family, HexColor, Share

Pattern = Literal["solid", "two-tone", "striped", "checked", "printed"]
Metal = Literal["silver", "gold", "copper"]
Verdict = Literal["agree", "near", "disagree"]
ReviewReason = Literal["low_confidence", "label_disagrees", "product_not_found", "color_cast"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PrimaryColor(_Part):
    """The color of the product: one entry of the palette, told in full."""

    family: Annotated[Family, Field(description="One of twelve families")]
    name: Annotated[str, Field(description="The nearest of about eighty names that shops use, of the same family")]
    fine_name: Annotated[str, Field(description="The nearest name of a published list of thousands")]
    hex: HexColor
    rgb: Annotated[tuple[int, int, int], Field(description="The same color, 0 to 255")]
    lab: Annotated[tuple[float, float, float], Field(description="CIE L*a*b*, D65")]
    oklch: Annotated[tuple[float, float, float], Field(description="L in [0, 1], chroma, hue in degrees")]
    share: Annotated[Share, Field(description="Share of the product's area")]


class PaletteEntry(_Part):
    """One color of the product and the share of its area."""

    hex: HexColor
    family: Family
    name: Annotated[str, Field(description="The nearest of the names that shops use, of the same family")]
    share: Annotated[Share, Field(description="Share of the product's area; the shares of a palette sum to 1")]


class Background(_Part):
    """What is behind the product."""

    kind: Annotated[
        Literal["plain", "gradient", "scene", "transparent", "none"],
        Field(description="One even color; one color in several lightnesses; anything else; cut out; not visible"),
    ]
    hex: Annotated[HexColor | None, Field(description="The main color; null where none was found")]
    colors: Annotated[tuple[HexColor, ...], Field(description="Up to three colors, the main one first")] = ()
    share: Annotated[Share, Field(description="Share of the frame")]


class LabelVerdict(_Part):
    """How the customer's label compares with the colors of the product."""

    hex: HexColor
    family: Annotated[Family, Field(description="The family that the label's color is called by")]
    verdict: Annotated[
        Verdict,
        Field(description="Near: the label may be right, and is not exactly what the photo shows"),
    ]
    match_probability: Annotated[Share | None, Field(description="Probability that the label is right")] = None
    delta_e_2000: Annotated[float, Field(ge=0, description="CIEDE2000 difference to the nearest palette entry")]
    nearest: Annotated[HexColor, Field(description="The palette entry that is nearest to the label")]
    suggested_hex: Annotated[HexColor, Field(description="The primary color, as a label")]
    suggested_name: str


class ColorCast(_Part):
    """A tinted light, told by a bright background that is nearly neutral."""

    hex: Annotated[HexColor, Field(description="The color of the background")]
    strength: Annotated[float, Field(ge=0, description="OKLab chroma of the background")]
    corrected_hex: Annotated[HexColor, Field(description="The primary color under a light that makes it neutral")]


class Alternative(_Part):
    """The family that comes second."""

    family: Family
    probability: Share


class Classification(_Part):
    """The colors of one product image."""

    primary: PrimaryColor
    palette: Annotated[tuple[PaletteEntry, ...], Field(description="At most five colors, the largest area first")]
    background: Background
    label: Annotated[LabelVerdict | None, Field(description="Null where no label was sent")]
    pattern: Annotated[Pattern, Field(description="How several colors lie on the product")]
    multicolor: Annotated[
        Share | None, Field(description="Probability that a person would call the product multicolored")
    ] = None
    metallic: Annotated[Metal | None, Field(description="A hint that the product is of metal")] = None
    cast: Annotated[ColorCast | None, Field(description="Null where the light seems neutral or cannot be told")] = None
    confidence: Annotated[Share, Field(description="Probability that the primary family is acceptable to a person")]
    alternative: Annotated[Alternative | None, Field(description="The second most likely family")] = None
    needs_review: Annotated[bool, Field(description="Whether there is a reason for a person to look")]
    review_reasons: tuple[ReviewReason, ...]
