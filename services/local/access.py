"""How the processes of one local run come into its Kafka."""

from dataclasses import dataclass

from schemas.rights import User, principal
from services.local.kafka.locks import ADMIN, Locks
from services.runtime.cluster import Kafka


@dataclass(frozen=True)
class Access:
    """The brokers' addresses, and the locks of a secure run."""

    bootstrap_servers: str
    locks: Locks | None = None

    def administrator(self) -> Kafka:
        """Come in as the one who may do everything."""
        return self.locks.cluster(self.bootstrap_servers, ADMIN) if self.locks else self.bootstrap_servers

    def user(self, user: User) -> Kafka:
        """Come in with the least rights of a user."""
        return self.locks.cluster(self.bootstrap_servers, principal(user)) if self.locks else self.bootstrap_servers

    def settings(self, user: User) -> dict[str, str]:
        """The settings of a user's process, by their names without the prefix."""
        servers = {"BOOTSTRAP_SERVERS": self.bootstrap_servers}
        if self.locks is None:
            return servers
        return servers | {
            "KAFKA_TLS": "true",
            "KAFKA_CA_FILE": str(self.locks.authority),
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_USERNAME": principal(user),
            "KAFKA_PASSWORD_FILE": str(self.locks.password_file(principal(user))),
        }
