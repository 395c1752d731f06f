"""What every service can be told, through environment variables that begin with `HUESTREAM_`."""

from typing import Annotated, Final, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]


def _split(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


FromCommas: Final = BeforeValidator(_split)
"""Of a setting of several values, separated by commas; together with `NoDecode`."""


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one sentence that names it."""


class ServiceSettings(BaseSettings):
    """What all services share."""

    model_config = SettingsConfigDict(env_prefix="HUESTREAM_", frozen=True, extra="ignore")

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, separated by commas")
    environment: Literal["production", "development"] = Field(
        "production", description="development allows what only tests and one's own machine may do"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least level logged")
    metrics_host: str = Field("127.0.0.1", description="address of /metrics, /healthz and /readyz")
    metrics_port: Port = Field(0, description="port of /metrics, /healthz and /readyz; 0 picks a free one")
    start_timeout_seconds: Seconds = Field(60, description="how long to wait for Kafka at start")
    publish_timeout_seconds: Seconds = Field(15, description="how long to wait for Kafka's acknowledgements")
    drain_timeout_seconds: Seconds = Field(8, description="how long work in flight may take to end at a stop")

    @classmethod
    def describe(cls) -> str:
        """List the variables, with their defaults and meanings, for people."""
        lines = ["environment variables:"]
        for name, field in cls.model_fields.items():
            default = "" if field.default in (None, "") else f" (default: {_plain(field.default)})"
            lines += [f"  {cls.model_config['env_prefix']}{name.upper()}", f"      {field.description}{default}"]
        return "\n".join(lines)


_Settings = TypeVar("_Settings", bound=ServiceSettings)


def read_settings(kind: type[_Settings]) -> _Settings:
    """Read the environment once; raises `SettingsError` with one sentence that names the first wrong variable."""
    try:
        return kind()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"])
        prefix = str(kind.model_config.get("env_prefix", ""))
        variable = f"{prefix}{name}".upper() if name else "the settings"
        raise SettingsError(f"{variable}: {first['msg']}.") from error


def _plain(default: object) -> str:
    if isinstance(default, frozenset | tuple):
        return ",".join(str(part) for part in sorted(default)) or "none"
    return str(default)
