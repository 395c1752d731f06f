"""What the reporter can be told."""

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from services.runtime.settings import Port, Seconds, ServiceSettings, together


class ReporterSettings(ServiceSettings):
    """Settings of the reporter."""

    report_store: str = Field(
        "reports", description="finished reports: a folder, or s3://, gs:// or az:// and a bucket"
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
    smtp_timeout_seconds: Seconds = Field(60, description="limit of each step of the mail dialog")
    mail_from: str = Field(
        "huestream@localhost.localdomain",
        pattern=r"^[^\s@<>\"=?,;:]+@[A-Za-z0-9.-]+$",
        description="sender of the reports; its domain is that of the Message-IDs",
    )
    mail_retry_seconds: Seconds = Field(30, description="pause before a mail is tried again; doubles up to an hour")
    mail_give_up_seconds: Seconds = Field(86_400, description="time after which a mail that is refused is given up")
    retention_days: int = Field(30, ge=1, le=3650, description="days for which a report can be had")

    @property
    def mail_domain(self) -> str:
        """The domain of the Message-IDs."""
        return self.mail_from.rpartition("@")[2]

    @model_validator(mode="after")
    def _passwords_travel_encrypted(self) -> "ReporterSettings":
        if self.environment == "production" and self.smtp_password is not None and self.smtp_tls == "none":
            raise ValueError("HUESTREAM_SMTP_PASSWORD would be sent in the clear; set HUESTREAM_SMTP_TLS")
        together(self, "smtp_username", "smtp_password")
        return self
