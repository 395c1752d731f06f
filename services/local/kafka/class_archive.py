"""What a broker's Java has once read, checked and linked: each later start costs half of the processor's time.

Source: JEP 350, Dynamic CDS Archives; from Java 25 on JEP 514, Ahead-of-Time Command-Line Ergonomics, which works too
where a Java came without an archive of its own classes. Java itself refuses what was made of other jars or by another
build; so that nothing that it would refuse is ever named to it, the file's name tells what it was made of.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.local.kafka.java import java_version
from services.local.kafka.node import Node, broker_command, java_command, prepare_nodes, wait_until_ready
from services.local.kafka.problems import LocalKafkaError
from services.local.leash import leashed
from services.local.ports import free_ports

_READY_SECONDS: Final = 45.0
_END_SECONDS: Final = 30.0
_AHEAD_OF_TIME: Final = 25
"""The Java from which on its cache is made ahead of time."""
_ENDED: Final = (0, 143)
"""A broker that ended as it was told: Java's own status after SIGTERM is the second."""


async def archive_options(java: Path, jars: Sequence[Path]) -> list[str]:
    """Name the archive to Java; makes it where it is missing. Without one, which is no harm, there are no options."""
    making, using = _option_names(java)
    archive = jars[0].parent / f"classes-{_made_of(java, jars)}.jsa"
    if not archive.is_file() and os.access(archive.parent, os.W_OK):
        await _make(archive, making, java, jars)
    return [f"-XX:{using}={archive}"] if archive.is_file() and archive.stat().st_size else []


def _option_names(java: Path) -> tuple[str, str]:
    if java_version(java) >= _AHEAD_OF_TIME:
        return "AOTCacheOutput", "AOTCache"
    return "ArchiveClassesAtExit", "SharedArchiveFile"


def _made_of(java: Path, jars: Sequence[Path]) -> str:
    files = [java.resolve(), *jars]
    facts = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(["broker", *facts]).encode()).hexdigest()[:16]


async def _make(archive: Path, making: str, java: Path, jars: Sequence[Path]) -> None:
    """Let a broker that nobody needs start and end, and keep what it has read; what fails is left undone."""
    fresh = archive.with_suffix(f".{os.getpid()}")
    with suppress(OSError, LocalKafkaError), tempfile.TemporaryDirectory(prefix="huestream-classes-") as name:
        folder = Path(name)
        port, controller_port = free_ports([0, 0])
        node = Node(1, port, controller_port, folder / "node-1")
        try:
            await prepare_nodes(folder, [node], java_command(folder, java, jars))
            if await _status(node, java_command(folder, java, jars, [f"-XX:{making}={fresh}"])) in _ENDED:
                fresh.touch()  # a Java that cannot make one says so and goes on; it is not asked again
                fresh.replace(archive)
        finally:
            fresh.unlink(missing_ok=True)


async def _status(node: Node, java: Sequence[str]) -> int | None:
    silent = asyncio.subprocess.DEVNULL
    broker = await asyncio.create_subprocess_exec(*leashed(broker_command(node, java)), stdout=silent, stderr=silent)
    ready = asyncio.create_task(wait_until_ready([node], _READY_SECONDS))
    ended = asyncio.create_task(broker.wait())
    try:
        await asyncio.wait((ready, ended), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await ready
            broker.terminate()
        return await asyncio.wait_for(ended, _END_SECONDS)
    except TimeoutError:
        return None
    finally:
        ready.cancel()
        if broker.returncode is None:
            broker.kill()
            await broker.wait()
