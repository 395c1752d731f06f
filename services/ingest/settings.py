"""What ingest can be told."""

from pathlib import Path

from pydantic import Field, model_validator

from schemas.fields import MAX_BATCH
from services.runtime.buckets import IMAGE_BUCKETS, BucketFolders, share_objects
from services.runtime.settings import Port, Seconds, ServiceSettings
from services.runtime.signed_tokens import LinkSecret


class IngestSettings(ServiceSettings):
    """Settings of the HTTP endpoint."""

    host: str = Field("0.0.0.0", description="address of the endpoint")  # noqa: S104  # it serves a network
    port: Port = Field(8080, description="port of the endpoint; 0 picks a free one")
    report_store: str = Field(
        "reports", description="finished reports: a folder, or s3://, gs:// or az:// and a bucket"
    )
    image_buckets: BucketFolders = Field((), description=IMAGE_BUCKETS)
    api_keys_file: Path | None = Field(
        None, description="file of API keys, instead of their topic; reread when it changes"
    )
    public_url: str | None = Field(
        None,
        max_length=200,
        pattern=r"^https?://[^\s/?#@\"<>]+(?:/[^\s?#\"<>]*)?$",
        description="where people reach the endpoint, such as https://huestream.example; the documentation shows it",
    )
    link_secret: LinkSecret | None = Field(
        None,
        description="signs the links to results pages; the same text of 32 characters or more for ingest and reporter; "
        "without it there are no such pages",
    )
    link_days: int = Field(30, ge=1, le=3650, description="days for which a link to a results page opens it")
    deadline_seconds: Seconds = Field(3600, description="time after which a batch is reported as it is")
    gather_products: bool = Field(True, description="make batches of the single products in their topic")
    gather_window_seconds: Seconds = Field(
        60,
        description="single products of a key that come within such a window are one batch; the same for all replicas",
    )
    body_timeout_seconds: Seconds = Field(30, description="how long a client may take to send a body")
    idle_timeout_seconds: Seconds = Field(75, description="how long a connection may take to send (more) headers")
    max_connections: int = Field(4_096, ge=1, description="open connections; more are closed at once")
    max_connections_per_address: int = Field(
        1_024, ge=1, description="open connections from one address; raise it where a proxy stands before the endpoint"
    )
    requests_per_minute: int = Field(120, ge=1, description="submissions of one API key, over all replicas")
    images_per_minute: int = Field(
        3_000, ge=MAX_BATCH, description="images of one API key, over all replicas; a whole batch must fit"
    )
    reads_per_minute: int = Field(600, ge=1, description="other requests of one API key, for each replica")
    failures_per_minute: int = Field(60, ge=1, description="requests with a wrong key from one address")
    max_event_streams: int = Field(1_000, ge=1, description="event streams that are open at once")
    heartbeat_seconds: Seconds = Field(15, description="pause after which an event stream shows a sign of life")
    results_timeout_seconds: Seconds = Field(15, description="how long reading partial results may take")
    group_lag_seconds: Seconds = Field(
        10, description="pause between two looks at how far behind the other services are"
    )

    @model_validator(mode="after")
    def _reports_are_no_images(self) -> "IngestSettings":
        if any(share_objects(folder, self.report_store) for folder in self.image_buckets):
            raise ValueError("HUESTREAM_IMAGE_BUCKETS and HUESTREAM_REPORT_STORE share objects; keep them apart")
        return self
