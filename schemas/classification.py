"""What the analysis of one image says: the member `classification` of a result."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.fields import Family, HexColor, Share


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PrimaryColor(_Part):
    """The color of the product."""

    family: Family
    name: str
    fine_name: str
    hex: HexColor
    rgb: tuple[int, int, int]
    lab: Annotated[tuple[float, float, float], Field(description="CIE L*a*b*, D65")]
    oklch: Annotated[tuple[float, float, float], Field(description="L in [0, 1], chroma, hue in degrees")]
    share: Share


class PaletteEntry(_Part):
    """One color of the product and the share of its area."""

    hex: HexColor
    family: Family
    name: str
    share: Share


class Background(_Part):
    """What is behind the product; `hex` is null where no background was found."""

    kind: Literal["plain", "gradient", "scene", "transparent", "none"]
    hex: HexColor | None
    share: Share


class LabelVerdict(_Part):
    """How the customer's label compares with the colors of the product."""

    hex: HexColor
    family: Family
    verdict: Literal["agree", "near", "disagree"]
    delta_e_2000: Annotated[float, Field(ge=0)]
    nearest: HexColor
    suggested_hex: HexColor
    suggested_name: str


class Classification(_Part):
    """The colors of one product image."""

    primary: PrimaryColor
    palette: tuple[PaletteEntry, ...]
    background: Background
    label: LabelVerdict | None
    pattern: str
    confidence: Share
    needs_review: bool
    review_reasons: tuple[str, ...]
