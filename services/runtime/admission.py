"""Why Kafka does not let us in: asked for by hand, since its client only says that it could not connect."""

import asyncio
import ssl
from typing import Final

from aiokafka.conn import collect_hosts, create_conn
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

from services.runtime.cluster import Cluster

NOT_ALLOWED: Final = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
)
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
            connection = await create_conn(host, port, request_timeout_ms=int(_KNOCK_SECONDS * 1000), **options)
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
    connection.close()
    return ""


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
    kind = type(error).__name__.removesuffix("AuthorizationFailedError").lower()
    named = " ".join(str(part) for part in error.args) or f"one that is needed, of the kind {kind}"
    return KafkaRefusedError(
        f"Kafka does not allow us to use the {kind} {named}; the rights that are needed: huestream rights list"
    )
