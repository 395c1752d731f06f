"""What the classifier counts and times."""

from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram

from schemas.fields import ItemErrorCode

IMAGES: Final = Counter("huestream_classifier_images_total", "Images that ended, by outcome", ["outcome"])
FETCH_SECONDS: Final = Histogram("huestream_classifier_fetch_seconds", "Time to fetch one image")
ANALYZE_SECONDS: Final = Histogram("huestream_classifier_analyze_seconds", "Time to decode and analyze one image")
IN_FLIGHT: Final = Gauge("huestream_classifier_images_in_flight", "Images being fetched or analyzed now")
DEAD_LETTERS: Final = Counter("huestream_classifier_dead_letters_total", "Records that were not images of ours")
REPEATS: Final = Counter("huestream_classifier_repeats_total", "Images that did not have to be fetched again")
DECODER_DEATHS: Final = Counter("huestream_classifier_decoder_deaths_total", "Decoding processes that died at work")

for outcome in ("succeeded", *get_args(ItemErrorCode)):
    IMAGES.labels(outcome)
