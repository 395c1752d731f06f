"""Where Kafka is, and how one comes in: addresses, encryption, a name and its password."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SaslMechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


@dataclass(frozen=True)
class Sasl:
    """A user of Kafka."""

    mechanism: SaslMechanism
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Cluster:
    """A Kafka cluster as its clients reach it."""

    bootstrap_servers: str
    tls: ssl.SSLContext | None = None
    sasl: Sasl | None = None

    def client_options(self) -> Mapping[str, object]:
        """Build the arguments that every client of aiokafka takes."""
        protocol = ("SASL_" if self.sasl else "") + ("SSL" if self.tls else "PLAINTEXT")
        options: dict[str, object] = {"bootstrap_servers": self.bootstrap_servers, "security_protocol": protocol}
        if self.tls:
            options["ssl_context"] = self.tls
        if self.sasl:
            options |= {
                "sasl_mechanism": self.sasl.mechanism,
                "sasl_plain_username": self.sasl.username,
                "sasl_plain_password": self.sasl.password,
            }
        return options


Kafka = Cluster | str
"""A cluster, or only the addresses of one that has neither encryption nor users."""


def cluster_of(kafka: Kafka) -> Cluster:
    """Make a cluster of mere addresses."""
    return Cluster(kafka) if isinstance(kafka, str) else kafka


def tls_context(ca_file: Path | None, certificate_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """Trust the authorities of a file, or the system's; raises `OSError` for files that are missing or no PEM.

    Host names are always verified; there is no setting that turns this off.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file:
        context.load_cert_chain(certificate_file, key_file)
    return context
