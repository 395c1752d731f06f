"""The brokers of a local run: their storage and their programs, how one comes in, and their topics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.topics import TOPICS
from services.local.access import Access
from services.local.kafka.class_archive import archive_options
from services.local.kafka.locks import prepare_locks
from services.local.kafka.node import (
    Node,
    bootstrap_servers,
    broker_command,
    java_command,
    prepare_nodes,
    wait_until_ready,
)
from services.local.stack import Layout, Options
from services.local.supervisor import Program
from services.runtime.granting import grant
from services.runtime.topic_admin import topic_admin


@dataclass(frozen=True)
class Brokers:
    """Brokers whose programs can be started, and started again."""

    nodes: Sequence[Node]
    programs: Sequence[Program]
    access: Access

    async def until_ready(self, timeout_seconds: float) -> None:
        """Wait until each is part of the cluster; raises `NotReadyError` past the limit."""
        await wait_until_ready(self.nodes, timeout_seconds, self.access.administrator())

    async def create_topics(self, say: Callable[[str], None]) -> None:
        """Have all rights and topics; say where a topic differs from its declaration."""
        replicas = len(self.nodes)
        if self.access.locks:
            await grant(self.access.administrator())
        async with topic_admin(self.access.user("topics")) as admin:
            await admin.create(TOPICS, replicas)
            for difference in await admin.differences(TOPICS, replicas):
                say(f"differs from its declaration: {difference}")


async def prepare_brokers(layout: Layout, options: Options, java: Path, jars: Sequence[Path]) -> Brokers:
    """Have their storage, and the locks of a secure run; raises `LocalKafkaError`."""
    folder = options.data / f"kafka-{'secure-' if options.secure else ''}{options.brokers}"
    nodes = _nodes(layout, folder)
    locks = await prepare_locks(folder / "secrets", java) if options.secure else None
    command = java_command(folder, java, jars, await archive_options(java, jars))
    await prepare_nodes(folder, nodes, command, locks=locks)
    programs = [
        Program("kafka", f"kafka-{node.number}", broker_command(node, command), node.log_path) for node in nodes
    ]
    return Brokers(nodes, programs, Access(bootstrap_servers(nodes), locks))


def _nodes(layout: Layout, folder: Path) -> list[Node]:
    return [
        Node(number, port, controller_port, folder / f"node-{number}")
        for number, (port, controller_port) in enumerate(layout.kafka_ports, start=1)
    ]
