"""What the reporter can be told."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from services.reporter.failpoints import Step
from services.reporter.limits import Limits
from services.runtime.settings import FromCommas, Port, Seconds, ServiceSettings, together
from services.runtime.signed_tokens import LinkSecret


class ReporterSettings(ServiceSettings):
    """Settings of the reporter."""

    report_store: str = Field(
        "reports", description="finished reports: a folder, or s3://, gs:// or az:// and a bucket"
    )
    api_keys_file: Path | None = Field(
        None, description="file of API keys, instead of their topic; reread when it changes"
    )
    state_store: Literal["memory://", "rocksdb://"] = Field(
        "memory://", description="where the tables live in the process; Kafka keeps them in either case"
    )
    state_dir: str = Field("state", description="folder of this process's tables")
    standby_replicas: int = Field(0, ge=0, le=3, description="reporters that keep a warm copy of each table")
    smtp_host: str = Field("127.0.0.1", description="mail server")
    smtp_port: Port = Field(587, description="port of the mail server")
    smtp_tls: Literal["starttls", "implicit", "none"] = Field("starttls", description="encryption to the mail server")
    smtp_username: str | None = Field(None, description="name for the mail server")
    smtp_password: SecretStr | None = Field(None, description="password for the mail server")
    smtp_ca_file: Path | None = Field(
        None, description="certificates to trust beside the system's, for the mail server"
    )
    smtp_timeout_seconds: Seconds = Field(60, description="limit of each step of the mail dialog")
    smtp_acceptance_seconds: Seconds = Field(
        600, description="limit of the wait for the acceptance of a mail; a shorter one than RFC 5321 has doubles mails"
    )
    mails_at_once: int = Field(2, ge=1, le=20, description="mails handed over beside each other")
    mail_from: str = Field(
        "huestream@localhost.localdomain",
        pattern=r"^[^\s@<>\"=?,;:]+@[A-Za-z0-9.-]+$",
        description="sender of the reports; its domain is that of the Message-IDs",
    )
    mail_retry_seconds: Seconds = Field(30, description="pause before a mail is tried again; doubles up to an hour")
    mail_give_up_seconds: Seconds = Field(86_400, description="time after which a mail that cannot go is given up")
    session_timeout_seconds: float = Field(
        10, ge=6, le=300, description="time after which the work of a reporter that died goes to the others"
    )
    deadline_seconds: Seconds = Field(
        3600, description="time after which a batch ends, as in ingest; its record may only ask for less"
    )
    watchdog_seconds: Seconds = Field(
        30, description="the process ends when it takes no record for so long although some wait for it"
    )
    public_url: str | None = Field(
        None,
        max_length=200,
        pattern=r"^https?://[^\s/?#@\"<>]+(?:/[^\s?#\"<>]*)?$",
        description="where people reach the endpoint, such as https://huestream.example; the mail links to it",
    )
    link_secret: LinkSecret | None = Field(
        None,
        description="signs the links to results pages; the same text of 32 characters or more for ingest and reporter; "
        "without it the mail has no link",
    )
    webhook_secret: LinkSecret | None = Field(
        None,
        description="signs webhooks: the secret of each key is derived from this text of 32 characters or more; "
        "without it none is sent",
    )
    webhook_timeout_seconds: Seconds = Field(15, description="how long a webhook's receiver may take to answer")
    webhook_retry_seconds: Seconds = Field(
        5, description="pause before a webhook is tried again; doubles up to an hour"
    )
    webhook_give_up_seconds: Seconds = Field(86_400, description="time after which a webhook is given up")
    webhook_ports: Annotated[frozenset[Port], NoDecode, FromCommas] = Field(
        frozenset({80, 443}), description="ports of webhooks' receivers, separated by commas"
    )
    allow_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, FromCommas] = Field(
        (),
        description="networks (CIDR, separated by commas) that webhooks may go to although they are not public, "
        "on any port; development only",
    )
    retention_days: int = Field(30, ge=1, le=3650, description="days for which a report can be had")
    failpoint: Step | None = Field(None, description="only in development: the process ends itself at this step")

    @property
    def mail_domain(self) -> str:
        """The domain of the Message-IDs."""
        return self.mail_from.rpartition("@")[2]

    @model_validator(mode="after")
    def _production_posts_to_public_addresses_only(self) -> "ReporterSettings":
        if self.environment == "production" and self.allow_networks:
            raise ValueError("HUESTREAM_ALLOW_NETWORKS is for development; unset it or set HUESTREAM_ENVIRONMENT")
        return self

    @model_validator(mode="after")
    def _copies_outlive_rebalances(self) -> "ReporterSettings":
        """Faust's memory store drops the rows of copies at a rebalance, but keeps their offsets: rows would be lost."""
        if self.standby_replicas and self.state_store == "memory://":
            raise ValueError("HUESTREAM_STANDBY_REPLICAS needs HUESTREAM_STATE_STORE=rocksdb://")
        return self

    @model_validator(mode="after")
    def _production_has_no_failpoints(self) -> "ReporterSettings":
        if self.failpoint is not None and self.environment == "production":
            raise ValueError("HUESTREAM_FAILPOINT would end the service on purpose; it is for development only")
        return self

    @model_validator(mode="after")
    def _passwords_travel_encrypted(self) -> "ReporterSettings":
        if self.environment == "production" and self.smtp_password is not None and self.smtp_tls == "none":
            raise ValueError("HUESTREAM_SMTP_PASSWORD would be sent in the clear; set HUESTREAM_SMTP_TLS")
        together(self, "smtp_username", "smtp_password")
        return self


def limits_of(settings: ReporterSettings) -> Limits:
    """Give the collector's limits."""
    return Limits(
        batch=timedelta(seconds=settings.deadline_seconds), mail=timedelta(seconds=settings.mail_give_up_seconds)
    )
