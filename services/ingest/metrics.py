"""What ingest counts and times."""

from typing import Final

from prometheus_client import Counter, Histogram

REQUESTS: Final = Counter("huestream_ingest_requests_total", "HTTP requests, by status", ["status"])
IMAGES: Final = Counter("huestream_ingest_images_total", "Images accepted")
BATCHES: Final = Counter("huestream_ingest_batches_total", "Batches accepted")
PUBLISH_SECONDS: Final = Histogram("huestream_ingest_publish_seconds", "Time until Kafka acknowledged a batch")
