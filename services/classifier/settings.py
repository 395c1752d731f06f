"""What the classifier can be told."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from services.runtime.settings import Port, Seconds, ServiceSettings


def _split(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


_FromCommas = BeforeValidator(_split)


class ClassifierSettings(ServiceSettings):
    """Settings of the classifier."""

    in_flight: int = Field(32, ge=1, le=1000, description="images fetched and analyzed at once by one process")
    decode_threads: int = Field(2, ge=1, le=16, description="threads that decode and analyze images")
    fetch_timeout_seconds: Seconds = Field(20, description="limit of one fetch from the first packet to the last byte")
    fetch_read_timeout_seconds: Seconds = Field(10, description="limit of the silence of an image host")
    max_image_bytes: int = Field(20 * 1024 * 1024, ge=1, description="bytes of one image, at most")
    max_image_pixels: int = Field(50_000_000, ge=1, description="pixels of one image, at most")
    fetch_ports: Annotated[frozenset[Port], NoDecode, _FromCommas] = Field(
        frozenset({80, 443}), description="ports of image hosts, separated by commas"
    )
    allow_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, _FromCommas] = Field(
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
