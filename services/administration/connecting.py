"""What all administrative commands share: where Kafka is, and one sentence when it is not there."""

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine

from aiokafka.errors import KafkaError

from services.runtime.kafka import KafkaUnavailableError
from services.runtime.topic_admin import TopicError


def add_bootstrap_servers(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the brokers."""
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT",
        default=os.environ.get("HUESTREAM_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
        help="Kafka brokers (default: HUESTREAM_BOOTSTRAP_SERVERS, or 127.0.0.1:9092)",
    )


def run_administration(work: Coroutine[None, None, int]) -> int:
    """Run one command to its end; what Kafka refuses becomes one sentence and exit status 1."""
    try:
        return asyncio.run(work)
    except (KafkaUnavailableError, TopicError) as error:
        sys.stderr.write(f"huestream: {error}\n")
    except KafkaError as error:
        sys.stderr.write(f"huestream: Kafka refused: {type(error).__name__}\n")
    except KeyboardInterrupt:
        sys.stderr.write("huestream: stopped\n")
    return 1


def say(line: str) -> None:
    """Write one line for people or scripts on standard output."""
    sys.stdout.write(f"{line}\n")
