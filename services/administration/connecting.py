"""What all administrative commands share: where Kafka is, and one sentence when it is not there."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Coroutine

from aiokafka.errors import KafkaError

from services.runtime.admission import NOT_ALLOWED, KafkaUnavailableError, not_allowed
from services.runtime.cluster import Cluster
from services.runtime.settings import KafkaSettings, SettingsError, read_settings
from services.runtime.topic_admin import TopicError


def add_bootstrap_servers(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the brokers."""
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT",
        help="Kafka brokers (default: HUESTREAM_BOOTSTRAP_SERVERS, or 127.0.0.1:9092); how to come in is told by "
        "HUESTREAM_KAFKA_TLS and its neighbors, as for the services",
    )


def settings_of(arguments: argparse.Namespace) -> KafkaSettings:
    """Read the environment, of which the option may replace the brokers; raises `SettingsError`."""
    named = {"bootstrap_servers": arguments.bootstrap_servers} if arguments.bootstrap_servers else {}
    return read_settings(KafkaSettings, **named)


def cluster_of_arguments(arguments: argparse.Namespace) -> Cluster:
    """Where Kafka is and how one comes in; raises `SettingsError`."""
    return settings_of(arguments).cluster


def run_administration(work: Coroutine[None, None, int]) -> int:
    """Run one command to its end; what Kafka refuses becomes one sentence and exit status 1."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its client would say the same in its own words
    try:
        return asyncio.run(work)
    except (KafkaUnavailableError, SettingsError, TopicError) as error:
        sys.stderr.write(f"huestream: {error}\n")
    except NOT_ALLOWED as error:
        sys.stderr.write(f"huestream: {not_allowed(error)}\n")
    except KafkaError as error:
        sys.stderr.write(f"huestream: Kafka refused: {type(error).__name__}\n")
    except KeyboardInterrupt:
        sys.stderr.write("huestream: stopped\n")
    return 1


def say(line: str) -> None:
    """Write one line for people or scripts on standard output."""
    sys.stdout.write(f"{line}\n")
