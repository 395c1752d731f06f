"""`huestream local`: everything on this machine, until Ctrl-C."""

import argparse
import ipaddress
import logging
import sys
from pathlib import Path

from services.local.folders import user_data_folder
from services.local.kafka.problems import LocalKafkaError
from services.local.ports import PortInUseError
from services.local.run import LocalError, run_local
from services.local.stack import Options
from services.runtime.kafka import KafkaUnavailableError
from services.runtime.lifecycle import run_service
from services.runtime.topic_admin import TopicError


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    add_data(parser)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="Kafka nodes (default: 1)")
    parser.add_argument("--classifiers", type=_count, default=1, metavar="N", help="classifiers (default: 1)")
    for name, what in (
        ("--port", "the HTTP endpoint"),
        ("--kafka-port", "Kafka; with three brokers the first of three in a row"),
        ("--smtp-port", "the SMTP server that catches the mails"),
        ("--mail-page-port", "the page that lists the mails"),
    ):
        parser.add_argument(name, type=_port, default=0, metavar="PORT", help=f"port of {what} (default: a free one)")
    parser.add_argument(
        "--allow-network",
        type=_network,
        action="append",
        default=[],
        metavar="CIDR",
        help="fetch images from this network although it is not public, for example 127.0.0.0/8; may be repeated",
    )
    parser.add_argument(
        "--secure",
        action="store_true",
        help="lock Kafka as in production: TLS, a user with its least rights for each service, everything else refused",
    )
    parser.add_argument(
        "--traces",
        metavar="URL",
        help="send the trace of every submission to this collector (OTLP over HTTP), such as http://127.0.0.1:4318",
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help="write one JSON object here once a batch can be accepted: endpoint, api_key, bootstrap_servers, "
        "mail_dir, report_dir, metrics, pids, secrets_dir",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the data folder."""
    parser.add_argument(
        "--data",
        type=Path,
        default=user_data_folder(),
        metavar="DIR",
        help="folder of Kafka's jars and data, mails, reports and logs; kept between runs (default: %(default)s)",
    )


def _count(text: str) -> int:
    return _number(text, 1, 64)


def _port(text: str) -> int:
    return _number(text, 0, 65_535)


def _number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"expected {least} to {most}")
    return int(text)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM; returns the exit status."""
    options = Options(
        data=arguments.data.expanduser().resolve(),
        brokers=arguments.brokers,
        classifiers=arguments.classifiers,
        port=arguments.port,
        kafka_port=arguments.kafka_port,
        smtp_port=arguments.smtp_port,
        mail_page_port=arguments.mail_page_port,
        allow_networks=tuple(arguments.allow_network),
        ready_file=arguments.ready_file,
        secure=arguments.secure,
        traces=arguments.traces,
    )
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it reports each attempt to reach a broker that starts
    try:
        return run_service(lambda stopping: run_local(options, stopping))
    except (LocalError, LocalKafkaError, PortInUseError, KafkaUnavailableError, TopicError) as error:
        sys.stderr.write(f"huestream: {error}\n")
        return 1
