"""What ingest counts and times."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUESTS: Final = Counter("huestream_ingest_requests_total", "HTTP requests, by status", ["status"])
REQUEST_SECONDS: Final = Histogram("huestream_ingest_request_seconds", "Time until a reply began")
IMAGES: Final = Counter("huestream_ingest_images_total", "Images accepted")
BATCHES: Final = Counter("huestream_ingest_batches_total", "Batches accepted")
PRODUCTS: Final = Counter("huestream_ingest_products_total", "Single products, by what became of them", ["outcome"])
PUBLISH_SECONDS: Final = Histogram("huestream_ingest_publish_seconds", "Time until Kafka acknowledged a batch")
CONNECTIONS: Final = Gauge("huestream_ingest_connections", "Open connections")
CONNECTIONS_REFUSED: Final = Counter("huestream_ingest_connections_refused_total", "Connections over the limit")
INFERENCES: Final = Gauge("huestream_ingest_inferences", "Inferences that this replica knows")
STREAMS: Final = Gauge("huestream_ingest_event_streams", "Open event streams")
