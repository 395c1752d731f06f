"""The nodes of a local Kafka: their properties, their storage and their command lines.

Source: Kafka 4.3 documentation, sections KRaft and Broker Configs.
"""

import asyncio
import base64
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from services.local.kafka.locks import Locks, locked_properties, scram_options
from services.local.kafka.problems import DISK_FULL, LocalKafkaError, NotReadyError, folder_error, no_space
from services.local.leash import leashed
from services.local.ports import HOST
from services.runtime.cluster import Kafka, cluster_of

LEAST_FREE_BYTES: Final = 64 * 1024 * 1024
_FORMAT_TIMEOUT_SECONDS: Final = 60
_MEMORY: Final = ("-Xms96m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_UNFIT_IN_PATHS: Final = (",", os.pathsep)  # they part the items of `log.dirs` and of the class path
_LOG4J: Final = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True)
class Node:
    """One broker that is its own controller too."""

    number: int
    port: int
    controller_port: int
    folder: Path

    @property
    def properties_path(self) -> Path:
        """File of its properties."""
        return self.folder / "node.properties"

    @property
    def log_path(self) -> Path:
        """File of what it logs."""
        return self.folder / "broker.log"


def bootstrap_servers(nodes: Sequence[Node]) -> str:
    """Name all nodes as clients do."""
    return ",".join(f"{HOST}:{node.port}" for node in nodes)


def properties(node: Node, nodes: Sequence[Node], locks: Locks | None = None) -> str:
    """Write a node's properties; with three nodes everything is replicated three times."""
    door = "SASL_SSL" if locks else "PLAINTEXT"
    voters = ",".join(f"{other.number}@{HOST}:{other.controller_port}" for other in nodes)
    replicas = len(nodes)
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.number,
        "controller.quorum.voters": voters,
        "listeners": f"{door}://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"{door}://{HOST}:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": node.folder / "log",
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 2,
        "min.insync.replicas": min(2, replicas),
        "group.initial.rebalance.delay.ms": 0,
        "auto.create.topics.enable": "false",
        "broker.session.timeout.ms": 6000,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "metadata.max.idle.interval.ms": 5000,  # else something is written twice a second where nothing happens
        "log.cleaner.dedupe.buffer.size": 4194304,
        **(locked_properties(locks) if locks else {}),
    }
    return "".join(f"{name}={_escaped(str(value))}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    """Write a value as Java reads it: Latin-1, backslashes doubled, anything else as UTF-16 escapes."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 0x7F else f"\\u{code:04x}" for code in codes)


async def prepare_nodes(
    folder: Path,
    nodes: Sequence[Node],
    java: Sequence[str],
    least_free_bytes: int = LEAST_FREE_BYTES,
    locks: Locks | None = None,
) -> None:
    """Write all properties and, where a node is new, format its storage; raises `LocalKafkaError`.

    The space is looked at first: a broker on a full disk dies without a word, since its log is on it too.
    """
    if any(sign in str(folder) for sign in _UNFIT_IN_PATHS):
        raise LocalKafkaError(f"Kafka cannot use a folder with a comma or a colon in its name; not in {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < least_free_bytes:
            raise no_space(folder)
        cluster = _write_configuration(folder, nodes, locks)
    except OSError as error:
        raise folder_error(error, folder) from error
    new = [node for node in nodes if not (node.folder / "log" / "meta.properties").is_file()]
    await asyncio.gather(*(_format(node, cluster, java, locks) for node in new))


def _write_configuration(folder: Path, nodes: Sequence[Node], locks: Locks | None) -> str:
    _log_configuration(folder).write_text(_LOG4J)
    for node in nodes:
        node.folder.mkdir(parents=True, exist_ok=True)
        node.properties_path.touch(mode=0o600)  # it may hold passwords
        node.properties_path.write_text(properties(node, nodes, locks))
    return _cluster_id(folder)


def _cluster_id(folder: Path) -> str:
    kept = folder / "cluster-id"
    if not kept.is_file():
        fresh = folder / "cluster-id.new"  # an id cut short would part this folder's nodes for ever
        fresh.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
        fresh.replace(kept)
    return kept.read_text().strip()


def _log_configuration(folder: Path) -> Path:
    return folder / "log4j2.properties"


def java_command(folder: Path, java: Path, jars: Sequence[Path], options: Sequence[str] = ()) -> list[str]:
    """The start of each command line: Java, its memory and options, the log's configuration and the jars."""
    return [
        str(java),
        *_MEMORY,
        *options,
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={_log_configuration(folder).absolute().as_uri()}",
        *("-cp", ":".join(str(jar) for jar in jars)),
    ]


def broker_command(node: Node, java: Sequence[str]) -> list[str]:
    """The command line of a broker."""
    return [*java, "kafka.Kafka", str(node.properties_path)]


async def _format(node: Node, cluster: str, java: Sequence[str], locks: Locks | None) -> None:
    options = [f"--cluster-id={cluster}", "-c", str(node.properties_path), "-g"]  # "=": an id may begin with a dash
    with _users_file(node, locks) as users:
        await _run_format(node, java, [*options, *users])


@contextmanager
def _users_file(node: Node, locks: Locks | None) -> Iterator[Sequence[str]]:
    """Name a file of options that is gone afterwards: others see command lines, and these hold passwords."""
    if locks is None:
        yield ()
        return
    file = node.folder / "users"
    file.touch(mode=0o600)
    file.write_text("".join(f"{option}\n" for option in scram_options(locks)))
    try:
        yield (f"@{file}",)
    finally:
        file.unlink()


async def _run_format(node: Node, java: Sequence[str], options: Sequence[str]) -> None:
    tool = await asyncio.create_subprocess_exec(
        *leashed([*java, "kafka.tools.StorageTool", "format", *options]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(tool.communicate(), _FORMAT_TIMEOUT_SECONDS)
    except TimeoutError as error:
        tool.kill()
        await tool.wait()
        raise NotReadyError(f"Kafka did not format its storage in {node.folder} in time; run again") from error
    if tool.returncode:
        raise _format_failure(said.decode(errors="replace"), node.folder)


def _format_failure(said: str, folder: Path) -> LocalKafkaError:
    """Choose the telling line: the first that names an exception, else the last."""
    if any(os.strerror(number) in said for number in DISK_FULL):
        return no_space(folder)
    lines = said.strip().splitlines() or ["no reason was given"]
    telling = next((line for line in lines if "Exception" in line or "error:" in line), lines[-1])
    return LocalKafkaError(f"Kafka could not format its storage in {folder}: {telling.strip()[:300]}")


async def wait_until_ready(nodes: Sequence[Node], timeout_seconds: float, kafka: Kafka | None = None) -> None:
    """Wait until every broker is part of the cluster; raises `NotReadyError` past the limit."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while not await _all_present(nodes, kafka or bootstrap_servers(nodes)):  # noqa: ASYNC110  # the broker is asked, nothing tells us
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        logs = ", ".join(str(node.log_path) for node in nodes)
        raise NotReadyError(
            f"Kafka was not ready within {timeout_seconds:g} seconds; its log says why: {logs}"
        ) from error


async def _all_present(nodes: Sequence[Node], kafka: Kafka) -> bool:
    client = AIOKafkaClient(**cluster_of(kafka).client_options(), request_timeout_ms=2_000)
    try:
        await client.bootstrap()
        return len(client.cluster.brokers()) >= len(nodes)
    except KafkaError:
        return False
    finally:
        await client.close()
