"""What the classifier counts and times."""

from typing import Final, Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

from schemas.classification import Classification, ReviewReason, Verdict
from schemas.fields import Family, ItemErrorCode
from schemas.topics import IMAGES_SUBMITTED
from services.runtime.metrics import DEAD_LETTERS, SECONDS, STAGE_SECONDS

ChildEnd = Literal["crashed", "too_slow", "recycled"]

IMAGES: Final = Counter("huestream_classifier_images_total", "Images that ended, by outcome", ["outcome"])
IN_FLIGHT: Final = Gauge("huestream_classifier_images_in_flight", "Images being fetched or analyzed now")
FETCH_SECONDS: Final = Histogram(
    "huestream_classifier_fetch_seconds",
    "Time to fetch one image, with waiting for its host and retries",
    buckets=SECONDS,
)
FETCHED_BYTES: Final = Counter("huestream_classifier_fetched_bytes_total", "Bytes of images read from hosts")
FETCH_RETRIES: Final = Counter("huestream_classifier_fetch_retries_total", "Fetches that were tried again")
REFUSED_ADDRESSES: Final = Counter(
    "huestream_classifier_refused_addresses_total", "Addresses of image hosts that were not connected to"
)
REPEATS: Final = Counter("huestream_classifier_repeats_total", "Images that did not have to be fetched again")
IMAGE_MEMORY_BYTES: Final = Gauge("huestream_classifier_image_memory_bytes", "Bytes of images held now")
DECODER_WAIT_SECONDS: Final = Histogram(
    "huestream_classifier_decoder_wait_seconds", "Time until a fetched image had a decoder", buckets=SECONDS
)
DECODE_SECONDS: Final = Histogram(
    "huestream_classifier_decode_seconds", "Time to decode and analyze one image, by its decoder", buckets=SECONDS
)
DECODER_ENDS: Final = Counter(
    "huestream_classifier_decoder_ends_total", "Decoding processes that ended, and are replaced", ["reason"]
)
DECODER_CPU_SECONDS: Final = Counter(
    "huestream_classifier_decoder_cpu_seconds_total", "Processor time of all decoding processes"
)
DECODER_MEMORY_BYTES: Final = Gauge(
    "huestream_classifier_decoder_resident_memory_bytes",
    "Memory of all decoding processes, pages that they share counted once",
)
PUBLISH_SECONDS: Final = Histogram(
    "huestream_classifier_publish_seconds", "Time until Kafka acknowledged a result", buckets=SECONDS
)

CONFIDENCE: Final = Histogram(
    "huestream_classifier_confidence_ratio",
    "Probability that the answer is acceptable, of each image classified",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1),
)
REVIEWS: Final = Counter("huestream_classifier_reviews_total", "Images classified that a person should look at")
REVIEW_REASONS: Final = Counter(
    "huestream_classifier_review_reasons_total", "Reasons for a person to look; an image may have several", ["reason"]
)
LABELS: Final = Counter(
    "huestream_classifier_labels_total", "Images classified, by how their label compares; none: no label", ["verdict"]
)
FAMILIES: Final = Counter("huestream_classifier_families_total", "Images classified, by color family", ["family"])

TAKEN: Final = STAGE_SECONDS.labels("taken")
CLASSIFIED: Final = STAGE_SECONDS.labels("classified")
_OUTCOMES: Final = {outcome: IMAGES.labels(outcome) for outcome in ("succeeded", *get_args(ItemErrorCode))}
_VERDICTS: Final = {verdict: LABELS.labels(verdict) for verdict in (*get_args(Verdict), "none")}
_FAMILIES: Final = {family: FAMILIES.labels(family) for family in get_args(Family)}
_REASONS: Final = {reason: REVIEW_REASONS.labels(reason) for reason in get_args(ReviewReason)}
ENDS: Final = {reason: DECODER_ENDS.labels(reason) for reason in get_args(ChildEnd)}
DEAD_LETTERS.labels(IMAGES_SUBMITTED.name)


def count_outcome(outcome: str) -> None:
    """Count the end of one image."""
    _OUTCOMES[outcome].inc()


def count_answer(found: Classification) -> None:
    """Count what was said of one image: drift of catalogs, hosts or the model becomes visible."""
    CONFIDENCE.observe(found.confidence)
    _FAMILIES[found.primary.family].inc()
    _VERDICTS[found.label.verdict if found.label else "none"].inc()
    if found.needs_review:
        REVIEWS.inc()
    for reason in found.review_reasons:
        _REASONS[reason].inc()
