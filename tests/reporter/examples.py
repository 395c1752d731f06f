"""Batches and results to test with."""

from datetime import UTC, datetime, timedelta

from schemas.classification import Classification
from schemas.events import BatchSubmitted, CancellationRequested, ImageClassified, ItemError
from schemas.export import EXAMPLES
from schemas.results import Report

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
FINGERPRINT = "a" * 64
OTHER_FINGERPRINT = "b" * 64
INFERENCE_ID = "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10"


def classification() -> Classification:
    report = Report.model_validate_json((EXAMPLES / "report.v1.json").read_bytes())
    found = report.items[0].classification
    assert found is not None
    return found


def batch(size: int = 3, fingerprint: str = FINGERPRINT, inference_id: str = INFERENCE_ID) -> BatchSubmitted:
    return BatchSubmitted(
        inference_id=inference_id,
        key_id="key1",
        size=size,
        fingerprint=fingerprint,
        submitted_at=NOW,
        deadline_at=NOW + timedelta(hours=1),
    )


def cancellation(size: int = 3) -> CancellationRequested:
    return CancellationRequested(
        inference_id=INFERENCE_ID,
        key_id="key1",
        size=size,
        fingerprint=FINGERPRINT,
        submitted_at=NOW,
        requested_at=NOW + timedelta(seconds=2),
    )


def result(
    index: int, fingerprint: str = FINGERPRINT, inference_id: str = INFERENCE_ID, **changes: object
) -> ImageClassified:
    """A result; every third one failed."""
    failed = index % 3 == 2
    given: dict[str, object] = {
        "image_path": f"https://shop.example/{index}.jpg",
        "product_type": "Sneakers",
        "hex_color_label": "#FE2934",
        "category": "Fashion",
        "inference_id": inference_id,
        "index": index,
        "fingerprint": fingerprint,
        "classified_at": NOW + timedelta(seconds=index + 1),
        "status": "failed" if failed else "succeeded",
        "classification": None if failed else classification(),
        "error": ItemError(code="fetch_timeout", message="The image host did not answer in time") if failed else None,
    }
    return ImageClassified.model_validate(given | changes)
