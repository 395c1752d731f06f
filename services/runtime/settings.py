"""What every service can be told, through environment variables that begin with `HUESTREAM_`."""

import ssl
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from schemas.topics import REPLICAS
from services.runtime.cluster import Cluster, Sasl, SaslMechanism, tls_context
from services.runtime.environment import PREFIX
from services.runtime.secret_files import SUFFIX, SecretFileError, SecretFiles, is_secret

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Environment = Literal["production", "development"]


def _split(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


FromCommas: Final = BeforeValidator(_split)
"""Of a setting of several values, separated by commas; together with `NoDecode`."""


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one sentence that names it."""


class KafkaSettings(BaseSettings):
    """What everything that talks to Kafka shares."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=False)

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, separated by commas")
    kafka_tls: bool = Field(
        default=False, description="whether connections to Kafka are encrypted and its certificate is verified"
    )
    kafka_ca_file: Path | None = Field(
        None, description="file (PEM) of the authorities that Kafka's certificate may come from; else the system's"
    )
    kafka_certificate_file: Path | None = Field(
        None, description="file (PEM) of our own certificate, where Kafka asks for one"
    )
    kafka_key_file: Path | None = Field(None, description="file (PEM) of the private key of our own certificate")
    kafka_sasl_mechanism: SaslMechanism | None = Field(None, description="how we say to Kafka who we are")
    kafka_username: str | None = Field(None, description="our name in Kafka")
    kafka_password: SecretStr | None = Field(None, description="our password in Kafka")
    environment: Environment = Field(
        "production", description="development allows what only tests and one's own machine may do"
    )
    topic_replicas: int = Field(
        REPLICAS,
        ge=1,
        le=9,
        description="replicas of each topic; with fewer nothing starts, in development only where this is set",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library calls by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the files that it names."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @model_validator(mode="after")
    def _kafka_security_is_whole(self) -> "KafkaSettings":
        for name in ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file"):
            if getattr(self, name) is not None and not self.kafka_tls:
                raise ValueError(f"{variable(name)} is set, but HUESTREAM_KAFKA_TLS is not true")
        together(self, "kafka_certificate_file", "kafka_key_file")
        together(self, "kafka_sasl_mechanism", "kafka_username", "kafka_password")
        if self.environment == "production" and self.kafka_sasl_mechanism == "PLAIN" and not self.kafka_tls:
            raise ValueError("HUESTREAM_KAFKA_PASSWORD would be sent in the clear; set HUESTREAM_KAFKA_TLS to true")
        return self

    @property
    def least_replicas(self) -> int:
        """Replicas with fewer of which nothing starts; on one's own machine there is one broker."""
        is_demanded = self.environment == "production" or "topic_replicas" in self.model_fields_set
        return self.topic_replicas if is_demanded else 1

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster that these settings describe; raises `SettingsError` for certificates that cannot be used."""
        return Cluster(self.bootstrap_servers, self._tls() if self.kafka_tls else None, self._sasl())

    def _tls(self) -> ssl.SSLContext:
        for name in ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file"):
            _readable(name, getattr(self, name))
        try:
            return tls_context(self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file)
        except OSError as error:
            named = "kafka_certificate_file" if self.kafka_certificate_file else "kafka_ca_file"
            raise SettingsError(f"{variable(named)}: no certificate in PEM could be read from it.") from error

    def _sasl(self) -> Sasl | None:
        if not (self.kafka_sasl_mechanism and self.kafka_username and self.kafka_password):
            return None
        return Sasl(self.kafka_sasl_mechanism, self.kafka_username, self.kafka_password.get_secret_value())


class ServiceSettings(KafkaSettings):
    """What all services share."""

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least level logged")
    metrics_host: str = Field("127.0.0.1", description="address of /metrics, /startupz, /healthz and /readyz")
    metrics_port: Port = Field(0, description="port of /metrics and of the probes; 0 picks a free one")
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#@\"<>]+(?:/[^\s?#\"<>]*)?$",
        description="collector of traces (OTLP over HTTP), such as http://collector:4318; without it nothing is traced",
    )
    trace_sampling: float = Field(0.01, ge=0, le=1, description="share of the submissions that are traced")
    start_timeout_seconds: Seconds = Field(60, description="how long to wait for Kafka at start")
    publish_timeout_seconds: Seconds = Field(15, description="how long to wait for Kafka's acknowledgements")
    drain_timeout_seconds: Seconds = Field(8, description="how long work in flight may take to end at a stop")

    @classmethod
    def describe(cls) -> str:
        """List the variables, with their defaults and meanings, for people."""
        lines = ["environment variables:"]
        for name, field in cls.model_fields.items():
            default = f" (default: {shown})" if (shown := plain(field.default)) else ""
            lines += [f"  {variable(name)}{' or …' + SUFFIX if is_secret(field) else ''}"]
            lines += [f"      {field.description}{default}"]
        return "\n".join(lines)


_Settings = TypeVar("_Settings", bound=KafkaSettings)


def variable(name: str) -> str:
    """Name the environment variable of a setting.

    >>> variable("kafka_tls")
    'HUESTREAM_KAFKA_TLS'
    """
    return f"{PREFIX}{name}".upper()


def together(settings: BaseSettings, *names: str) -> None:
    """Refuse settings of which only some are given; raises `ValueError` that names one of either kind."""
    given = [name for name in names if getattr(settings, name) is not None]
    missing = [name for name in names if name not in given]
    if given and missing:
        raise ValueError(f"{variable(given[0])} is set, but {variable(missing[0])} is not")


def read_settings(kind: type[_Settings], **given: object) -> _Settings:
    """Read the environment once; raises `SettingsError` with one sentence that names the first wrong variable."""
    try:
        return kind(**given)  # type: ignore[arg-type]  # what a command line gave, validated like the rest
    except SecretFileError as error:
        raise SettingsError(str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        name = str(first["loc"][0]) if first["loc"] else ""
        raise SettingsError(f"{variable(name)}: {reason}." if name else f"{reason}.") from error


def plain(default: object) -> str:
    """Write a default as one would write it in the environment; empty where there is none."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, frozenset | tuple):
        return ",".join(str(part) for part in sorted(default)) or "none"
    return "" if default is None else str(default)


def _readable(name: str, path: Path | None) -> None:
    """Raise `SettingsError` for a file that is named and cannot be read."""
    try:
        if path is not None:
            path.open("rb").close()
    except OSError as error:
        raise SettingsError(f"{variable(name)}: {path} cannot be read: {error.strerror}.") from error
