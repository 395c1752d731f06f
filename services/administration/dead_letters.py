"""`huestream dead-letters`: what could not be decoded or delivered, one JSON object a line."""

import argparse
import asyncio
import base64
import json

from aiokafka import ConsumerRecord, TopicPartition

from schemas.topics import DEAD_LETTERS
from services.administration.connecting import add_bootstrap_servers, cluster_of_arguments, run_administration, say
from services.runtime.kafka import KafkaUnavailableError, consumer
from services.runtime.topic_admin import require

_TIMEOUT_SECONDS = 60.0
_PARTITION = TopicPartition(DEAD_LETTERS.name, 0)


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_bootstrap_servers(parser)
    parser.add_argument("--values", action="store_true", help="show the records themselves too, in base64")


def run(arguments: argparse.Namespace) -> int:
    """List all dead letters, oldest first; returns the exit status."""
    return run_administration(_list(arguments, values=arguments.values))


async def _list(arguments: argparse.Namespace, *, values: bool) -> int:
    cluster = cluster_of_arguments(arguments)
    await require(cluster, [DEAD_LETTERS], _TIMEOUT_SECONDS)
    async with consumer(cluster, _TIMEOUT_SECONDS) as source:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                source.assign([_PARTITION])
                await source.seek_to_beginning(_PARTITION)
                end = (await source.end_offsets([_PARTITION]))[_PARTITION]
                while await source.position(_PARTITION) < end:
                    for records in (await source.getmany(timeout_ms=500)).values():
                        for record in records:
                            say(_line(record, values=values))
        except TimeoutError as error:
            raise KafkaUnavailableError("the dead letters were not read in time") from error
    return 0


def _line(record: ConsumerRecord, *, values: bool) -> str:
    letter = {"offset": record.offset, "timestamp_ms": record.timestamp}
    letter |= {name: text.decode(errors="replace") for name, text in record.headers}
    if values:
        letter["value"] = base64.b64encode(record.value or b"").decode()
    return json.dumps(letter)
