"""From the bytes of one image to its analysis. A decoder starts with this, so nothing here imports what validates."""

from typing import Protocol

from services.classifier.color import Analysis, FullyTransparentError, analyze
from services.classifier.decoding import decode
from services.classifier.problems import DecodeProblem
from services.classifier.refining import FigureFinder, Mask, Pixels, is_unsure


class Described(Protocol):
    """What is said of an image beside its bytes; a local file's may lack the product type."""

    @property
    def product_type(self) -> str | None:
        """What the image shows."""

    @property
    def category(self) -> str | None:
        """The part of the catalog that it is from."""

    @property
    def hex_color_label(self) -> str | None:
        """The color that the catalog claims, #RGB or #RRGGBB."""


def analysis_of(image: Described, content: bytes, max_pixels: int, find_figure: FigureFinder | None = None) -> Analysis:
    """Decode and analyze one image, and look a second time where that may help; raises `DecodeProblem`."""
    pixels = decode(content, max_pixels)
    try:
        first = _analysis(image, pixels)
    except FullyTransparentError as error:
        raise DecodeProblem("image_fully_transparent", "The image is fully transparent") from error
    if find_figure is None or not is_unsure(first):
        return first
    second = _analysis(image, pixels, find_figure(pixels))
    return second if second.confidence > first.confidence else first


def _analysis(image: Described, pixels: Pixels, figure: Mask | None = None) -> Analysis:
    return analyze(
        pixels,
        product_type=image.product_type,
        category=image.category,
        label=image.hex_color_label,
        figure=figure,
    )
