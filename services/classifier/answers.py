"""From the bytes of one image to its classification, in one process: what a decoder and its consumer do together."""

from schemas.classification import Classification
from services.classifier.classifying import Described, analysis_of
from services.classifier.refining import FigureFinder


def analyze_bytes(
    image: Described, content: bytes, max_pixels: int, find_figure: FigureFinder | None = None
) -> Classification:
    """Decode and analyze one image, as the contract says it; raises `DecodeProblem`."""
    analysis = analysis_of(image, content, max_pixels, find_figure)
    return Classification.model_validate(analysis, from_attributes=True)
