"""What the classifier can be told."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator
from pydantic_settings import NoDecode

from services.runtime.buckets import IMAGE_BUCKETS, BucketFolders
from services.runtime.settings import FromCommas, Port, Seconds, ServiceSettings

MAX_IMAGE_BYTES: Final = 20 * 1024 * 1024
MAX_IMAGE_PIXELS: Final = 50_000_000


class ClassifierSettings(ServiceSettings):
    """Settings of the classifier."""

    group_instance_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="a name of this process that outlives it (a pod's): restarts within 10 s then move no partitions",
    )
    in_flight: int = Field(128, ge=1, le=1000, description="images fetched and analyzed at once by one process")
    window_records: int = Field(4000, ge=1, description="records of images in hand of one process, at most")
    window_records_per_partition: int = Field(1000, ge=1, description="the same, of one partition")
    decoders: int = Field(1, ge=1, le=64, description="processes that decode and analyze, beside each consumer")
    decode_timeout_seconds: Seconds = Field(10, description="time to decode and analyze one image")
    decode_cpu_seconds: int = Field(8, ge=1, le=3600, description="processor time to decode and analyze one image")
    decoder_memory_bytes: int = Field(1 << 30, ge=1 << 28, description="address space of a decoding process, at most")
    decoder_images: int = Field(10_000, ge=1, description="images after which a decoding process is replaced")
    refine_model: Path | None = Field(
        None,
        description="file u2netp.onnx of a model that looks a second time where an answer is not sure, at 0.4 s of "
        "processor time (pip install huestream[refine]); without it nothing is looked at twice",
    )
    connections_per_host: int = Field(32, ge=1, le=1000, description="connections to one image host at once, at most")
    fetch_timeout_seconds: Seconds = Field(20, description="limit of one try, from the name to the last byte")
    fetch_total_timeout_seconds: Seconds = Field(60, description="limit of all tries of one image and their pauses")
    fetch_read_timeout_seconds: Seconds = Field(10, description="limit of the silence of an image host")
    max_image_bytes: int = Field(MAX_IMAGE_BYTES, ge=1, description="bytes of one image, at most")
    memory_bytes: int = Field(256 * 1024 * 1024, ge=1, description="bytes of images held at once by one process")
    repeats_bytes: int = Field(
        64 * 1024 * 1024, ge=0, description="bytes of images kept for repeats of their URL; 0 fetches each time"
    )
    max_image_pixels: int = Field(MAX_IMAGE_PIXELS, ge=1, description="pixels of one image, at most")
    fetch_ports: Annotated[frozenset[Port], NoDecode, FromCommas] = Field(
        frozenset({80, 443}), description="ports of image hosts, separated by commas"
    )
    image_buckets: BucketFolders = Field((), description=IMAGE_BUCKETS)
    image_buckets_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#@]+/?$",
        description="URL of a store that speaks S3, for the s3:// of HUESTREAM_IMAGE_BUCKETS, instead of Amazon's",
    )
    allow_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, FromCommas] = Field(
        (),
        description="networks (CIDR, separated by commas) that may be fetched from although they are not public, "
        "on any port; development only",
    )

    @model_validator(mode="after")
    def _production_fetches_public_addresses_only(self) -> "ClassifierSettings":
        if self.environment == "production" and self.allow_networks:
            raise ValueError("HUESTREAM_ALLOW_NETWORKS is for development; unset it or set HUESTREAM_ENVIRONMENT")
        return self

    @model_validator(mode="after")
    def _silence_is_shorter_than_the_fetch(self) -> "ClassifierSettings":
        if self.fetch_read_timeout_seconds > self.fetch_timeout_seconds:
            raise ValueError("HUESTREAM_FETCH_READ_TIMEOUT_SECONDS is longer than HUESTREAM_FETCH_TIMEOUT_SECONDS")
        return self

    @model_validator(mode="after")
    def _an_endpoint_has_buckets(self) -> "ClassifierSettings":
        if self.image_buckets_endpoint and not any(folder.startswith("s3:") for folder in self.image_buckets):
            raise ValueError(
                "HUESTREAM_IMAGE_BUCKETS_ENDPOINT is set, but HUESTREAM_IMAGE_BUCKETS names no s3:// bucket"
            )
        return self

    @model_validator(mode="after")
    def _two_images_fit(self) -> "ClassifierSettings":
        if self.memory_bytes < 2 * self.max_image_bytes:
            raise ValueError("HUESTREAM_MEMORY_BYTES must hold two images of HUESTREAM_MAX_IMAGE_BYTES")
        return self
