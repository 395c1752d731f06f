"""The whole system as a child process: `huestream local`, from its start to its end."""

import asyncio
import json
import signal
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.local.leash import leashed
from services.local.supervisor import python_command
from services.terminal import printable

_READY_SECONDS: Final = 420.0
"""The first start fetches Kafka."""
_STOP_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.1
_READY_LINE: Final = "huestream is ready"
_MARK: Final = "huestream: "


Say = Callable[[str], None]


class StackError(Exception):
    """The system did not start; the message is one sentence."""


@dataclass(frozen=True)
class Stack:
    """Where the running system is to be found."""

    endpoint: str
    api_key: str
    mail_dir: Path


class _Voice:
    """What the child says: passed on until it is ready, the last sentence kept."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._lines: deque[str] = deque(maxlen=20)

    async def listen(self, stream: asyncio.StreamReader) -> None:
        """Read until the child is silent for ever: a pipe that nobody reads would stop it."""
        quiet = False
        async for line in stream:
            text = printable(line.decode(errors="replace").strip(), 300)
            quiet = quiet or text.startswith(_READY_LINE)
            if text and not quiet:
                self._lines.append(text)
                if not text.startswith(_MARK):
                    self._say(text)

    def reason(self) -> str:
        """The sentence with which it ended."""
        sentences = [line.removeprefix(_MARK) for line in self._lines if line.startswith(_MARK)]
        return next(reversed(sentences or list(self._lines)), "huestream local ended without a word")


@asynccontextmanager
async def running_stack(data: Path, say: Say) -> AsyncIterator[Stack]:
    """Start the system, and end it with the block; raises `StackError` when it does not start."""
    with tempfile.TemporaryDirectory(prefix="huestream-demo-") as folder:
        ready_file = Path(folder) / "ready.json"
        words = ("local", "--ready-file", str(ready_file), "--allow-network", "127.0.0.0/8", "--data", str(data))
        process = await asyncio.create_subprocess_exec(
            *leashed(python_command("services", *words)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end it in order
        )
        if process.stderr is None:
            raise StackError("the child was started without a pipe")
        voice = _Voice(say)
        listening = asyncio.create_task(voice.listen(process.stderr))
        try:
            await _until_ready(process, ready_file, listening, voice)
            yield _read(ready_file)
        finally:
            await _end(process)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _until_ready(
    process: asyncio.subprocess.Process, ready_file: Path, listening: asyncio.Task[None], voice: _Voice
) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await asyncio.to_thread(ready_file.exists):
                if process.returncode is not None:
                    await listening
                    raise StackError(voice.reason())
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        raise StackError(f"huestream local was not ready within {_READY_SECONDS:.0f} seconds") from error


def _read(ready_file: Path) -> Stack:
    ready = json.loads(ready_file.read_text())
    return Stack(ready["endpoint"], ready["api_key"], Path(ready["mail_dir"]))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
