"""From one submitted image to its one result."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from schemas.classification import Classification
from schemas.events import ImageClassified, ImageFields, ImageSubmitted, ItemError
from services.classifier.problems import BatchCanceled, DeadlinePassed, ImageProblem

Fetch = Callable[[str], Awaitable[bytes]]
IsCanceled = Callable[[str, str], bool]
Analyze = Callable[[ImageSubmitted, bytes], Awaitable[Classification]]


async def classify(
    image: ImageSubmitted, fetch: Fetch, analyze_image: Analyze, is_canceled: IsCanceled, now: Callable[[], datetime]
) -> ImageClassified:
    """Fetch and analyze one image; an `ImageProblem` is a result, not an error.

    An image whose batch has ended or was canceled is not fetched any more: nobody waits for it.
    """
    try:
        if image.deadline_at is not None and now() >= image.deadline_at:
            raise DeadlinePassed
        if is_canceled(image.inference_id, image.fingerprint):
            raise BatchCanceled
        outcome: Classification | ItemError = await analyze_image(image, await fetch(image.image_path))
    except ImageProblem as problem:
        outcome = ItemError(code=problem.code, message=problem.message)
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
