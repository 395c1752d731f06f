"""Why Kafka does not let us in: asked for by hand, since its client only says that it could not connect."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from services.runtime.cluster import Cluster

_FORBIDDEN: Final[Mapping[type[KafkaError], str]] = {
    TopicAuthorizationFailedError: "use a topic",
    GroupAuthorizationFailedError: "use a consumer group",
    ClusterAuthorizationFailedError: "write to any topic",  # who may write to one may begin to write
}
NOT_ALLOWED: Final = tuple(_FORBIDDEN)
_KNOCK_SECONDS: Final = 5.0


class KafkaUnavailableError(Exception):
    """Kafka did not answer within the limit. What was sent may or may not be written later."""


class KafkaRefusedError(KafkaUnavailableError):
    """Kafka answered and did not let us in, or not do it; waiting does not help."""


async def knock(cluster: Cluster) -> str:
    """Connect to each broker in turn; returns why none opened, raises `KafkaRefusedError` where waiting is in vain."""
    reasons = [await _knock_at(cluster, host, port) for host, port, _ in collect_hosts(cluster.bootstrap_servers)]
    return "; ".join(reason for reason in reasons if reason)


async def _knock_at(cluster: Cluster, host: str, port: int) -> str:
    options = {name: value for name, value in cluster.client_options().items() if name != "bootstrap_servers"}
    try:
        async with asyncio.timeout(_KNOCK_SECONDS):
            await _ask(await create_conn(host, port, request_timeout_ms=int(_KNOCK_SECONDS * 1000), **options))
    except ssl.SSLCertVerificationError as error:
        raise KafkaRefusedError(
            f"the certificate of Kafka at {host}:{port} is not accepted ({error.verify_message}); "
            "HUESTREAM_KAFKA_CA_FILE names the authorities that are"
        ) from error
    except (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError) as error:
        raise KafkaRefusedError(_not_known(cluster, f"{host}:{port}", error)) from error
    except KafkaConnectionError:
        return f"{host}:{port} hangs up{_what_it_may_want(cluster)}"
    except (OSError, KafkaError, TimeoutError) as error:
        return f"{host}:{port}: {getattr(error, 'strerror', None) or type(error).__name__}"
    return ""


async def _ask(connection: AIOKafkaConnection) -> None:
    """Ask for what any client asks for: a broker that wants a name opens, and hangs up only now."""
    try:
        await connection.send(MetadataRequest([]))
    finally:
        connection.close()


def _not_known(cluster: Cluster, address: str, error: KafkaError) -> str:
    if cluster.sasl is None or isinstance(error, SaslAuthenticationFailed):
        user = cluster.sasl.username if cluster.sasl else ""
        return (
            f"Kafka at {address} does not accept the user {user} with this password; "
            "see HUESTREAM_KAFKA_USERNAME and HUESTREAM_KAFKA_PASSWORD"
        )
    return (
        f"Kafka at {address} does not offer {cluster.sasl.mechanism} on this port; see HUESTREAM_KAFKA_SASL_MECHANISM"
    )


def _what_it_may_want(cluster: Cluster) -> str:
    wanted = [
        name
        for name, given in (("HUESTREAM_KAFKA_TLS", cluster.tls), ("HUESTREAM_KAFKA_SASL_MECHANISM", cluster.sasl))
        if not given
    ]
    return f" (does it want {' or '.join(wanted)}?)" if wanted else ""


def not_allowed(error: KafkaError) -> KafkaRefusedError:
    """Say what Kafka forbids: a kind of thing and, where the client tells it, its name."""
    named = ", ".join(sorted(_names(error)))
    what = next(text for kind, text in _FORBIDDEN.items() if isinstance(error, kind))
    return KafkaRefusedError(
        f"Kafka does not allow us to {what}{': ' if named else ''}{named}; "
        "see the rights that are needed with: huestream rights list"
    )


def _names(error: KafkaError) -> set[str]:
    """The names that the client puts into an error: one, or several together."""
    return {
        str(name)
        for part in error.args
        for name in ([part] if isinstance(part, str) else part if isinstance(part, set | list | tuple) else [])
    }
