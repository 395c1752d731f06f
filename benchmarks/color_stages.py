"""The steps of one answer, each on what the steps before it have made."""

from collections.abc import Callable, Sequence

from services.classifier.color import analyze
from services.classifier.color.analyzing import answer_of, product_histogram, reading_of, view_of
from services.classifier.color.background import backdrop_of
from services.classifier.color.groups import kind_of
from services.classifier.color.model import model
from services.classifier.color.product import product_of
from services.classifier.decoding import decode
from services.classifier.settings import MAX_IMAGE_PIXELS

PRODUCT_TYPE, CATEGORY, LABEL = "Shirt", "Fashion", "#AA3344"
Variant = Callable[[bytes], object]


def stages(contents: Sequence[bytes]) -> dict[str, Variant]:
    """The analysis and its steps by name, ready to be called with one of the pictures."""
    learned, kind = model(), kind_of(PRODUCT_TYPE, CATEGORY)
    pixels = {content: decode(content, MAX_IMAGE_PIXELS) for content in contents}
    views = {content: view_of(pixels[content], kind) for content in contents}
    histograms = {content: product_histogram(views[content], learned) for content in contents}
    readings = {content: reading_of(histograms[content], kind, learned, LABEL) for content in contents}
    return {
        "analysis: background": lambda content: backdrop_of(views[content].photo),
        "analysis: product, with the network": lambda content: product_of(
            views[content].photo, views[content].backdrop, kind
        ),
        "analysis: histogram": lambda content: product_histogram(views[content], learned),
        "analysis: family, palette, names": lambda content: reading_of(histograms[content], kind, learned, LABEL),
        "analysis: label, pattern, the rest": lambda content: answer_of(views[content], readings[content], learned),
        "analysis, all": lambda content: analyze(
            pixels[content], product_type=PRODUCT_TYPE, category=CATEGORY, label=LABEL
        ),
    }
