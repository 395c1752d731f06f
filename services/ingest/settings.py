"""What ingest can be told."""

from pydantic import Field

from services.runtime.settings import Port, Seconds, ServiceSettings


class IngestSettings(ServiceSettings):
    """Settings of the HTTP endpoint."""

    host: str = Field("0.0.0.0", description="address of the endpoint")  # noqa: S104  # it serves a network
    port: Port = Field(8080, description="port of the endpoint; 0 picks a free one")
    report_store: str = Field(
        "reports", description="finished reports: a folder, or s3://, gs:// or az:// and a bucket"
    )
    deadline_seconds: Seconds = Field(3600, description="time after which a batch is reported as it is")
    body_timeout_seconds: Seconds = Field(30, description="how long a client may take to send a body")
