"""The broker's classes as Java has once read and checked them: each later start costs half of the processor's time.

Source: JEP 350, Dynamic CDS Archives. Java itself refuses an archive of other jars or of another build; so that none
that it would refuse is ever named to it, the file's name tells what it was made of.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.local.leash import leashed

_TIMEOUT_SECONDS: Final = 60
_FORMAT: Final = ("kafka.tools.StorageTool", "format", "-t", "aHVlc3RyZWFtLWFyY2hpdg", "-c", "node.properties", "-g")
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.dirs=log
"""


async def archive_options(java: Path, jars: Sequence[Path]) -> list[str]:
    """Name the archive to Java; makes it where it is missing. Without one, which is no harm, there are no options."""
    archive = jars[0].parent / f"classes-{_made_of(java, jars)}.jsa"
    if not archive.is_file() and os.access(archive.parent, os.W_OK):
        await _make(archive, java, jars)
    return [f"-XX:SharedArchiveFile={archive}"] if archive.is_file() and archive.stat().st_size else []


def _made_of(java: Path, jars: Sequence[Path]) -> str:
    files = [java.resolve(), *jars]
    facts = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


async def _make(archive: Path, java: Path, jars: Sequence[Path]) -> None:
    """Let Java format a storage that nobody needs, and keep what it has read for it; what fails is left undone."""
    fresh = archive.with_suffix(f".{os.getpid()}")
    command = [str(java), f"-XX:ArchiveClassesAtExit={fresh}", "-cp", ":".join(map(str, jars)), *_FORMAT]
    with suppress(OSError), tempfile.TemporaryDirectory(prefix="huestream-classes-") as folder:
        try:
            Path(folder, "node.properties").write_text(_PROPERTIES)
            if await _status(command, folder) == 0:
                fresh.touch()  # a Java that cannot make one says so and goes on; it is not asked again
                fresh.replace(archive)
        finally:
            fresh.unlink(missing_ok=True)


async def _status(command: Sequence[str], folder: str) -> int:
    silent = asyncio.subprocess.DEVNULL
    tool = await asyncio.create_subprocess_exec(*leashed(command), cwd=folder, stdout=silent, stderr=silent)
    try:
        return await asyncio.wait_for(tool.wait(), _TIMEOUT_SECONDS)
    except TimeoutError:
        return 1
    finally:
        if tool.returncode is None:
            tool.kill()
            await tool.wait()
