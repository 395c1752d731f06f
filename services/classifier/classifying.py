"""From one submitted image to its one result."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Protocol

from schemas.classification import Classification
from schemas.events import ImageClassified, ImageFields, ImageSubmitted, ItemError
from services.classifier.color import FullyTransparentError, analyze
from services.classifier.decoding import decode
from services.classifier.problems import DeadlinePassed, DecodeProblem, ImageProblem

Fetch = Callable[[str], Awaitable[bytes]]
Analyze = Callable[[ImageFields, bytes], Awaitable[Classification]]


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


def analyze_bytes(image: Described, content: bytes, max_pixels: int) -> Classification:
    """Decode and analyze one image; raises `DecodeProblem`."""
    pixels = decode(content, max_pixels)
    try:
        analysis = analyze(
            pixels, product_type=image.product_type, category=image.category, label=image.hex_color_label
        )
    except FullyTransparentError as error:
        raise DecodeProblem("image_fully_transparent", "The image is fully transparent") from error
    return Classification.model_validate(asdict(analysis))


async def classify(
    image: ImageSubmitted, fetch: Fetch, analyze_image: Analyze, now: Callable[[], datetime]
) -> ImageClassified:
    """Fetch and analyze one image; an `ImageProblem` is a result, not an error.

    An image whose batch has ended is not fetched any more: nobody waits for it.
    """
    try:
        if image.deadline_at is not None and now() >= image.deadline_at:
            raise DeadlinePassed
        outcome: Classification | ItemError = await analyze_image(image, await fetch(image.image_path))
    except ImageProblem as problem:
        outcome = problem.item_error
    return result_of(image, outcome, now())


def result_of(image: ImageSubmitted, outcome: Classification | ItemError, now: datetime) -> ImageClassified:
    """Build the result: the input echoed, and the outcome under its name."""
    succeeded = isinstance(outcome, Classification)
    return ImageClassified(
        **{name: getattr(image, name) for name in ImageFields.model_fields},
        inference_id=image.inference_id,
        index=image.index,
        fingerprint=image.fingerprint,
        classified_at=now,
        status="succeeded" if succeeded else "failed",
        classification=outcome if succeeded else None,
        error=None if succeeded else outcome,
    )
