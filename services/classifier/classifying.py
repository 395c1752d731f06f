"""From the bytes of one image to its classification."""

from dataclasses import asdict

from schemas.classification import Classification
from schemas.events import ImageFields
from services.classifier.color import FullyTransparentError, analyze
from services.classifier.decoding import decode
from services.classifier.problems import DecodeProblem


def analyze_bytes(image: ImageFields, content: bytes, max_pixels: int) -> Classification:
    """Decode and analyze one image; raises `DecodeProblem`."""
    pixels = decode(content, max_pixels)
    try:
        analysis = analyze(
            pixels, product_type=image.product_type, category=image.category, label=image.hex_color_label
        )
    except FullyTransparentError as error:
        raise DecodeProblem("image_fully_transparent", "The image is fully transparent") from error
    return Classification.model_validate(asdict(analysis))
