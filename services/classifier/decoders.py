"""The consumer's side of decoding: a child that can be killed, another one at once, and one image lost at most."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Final

from schemas.classification import Classification
from schemas.events import ImageFields, ItemError
from services.classifier import metrics
from services.classifier.decoder_framing import CLASSIFIED, FAULT, PROCESS_ID, REPLY, REQUEST, description_of
from services.classifier.decoder_limits import DecoderLimits
from services.classifier.problems import DecodeProblem
from services.classifier.refine_model import RefineModelError, check_refine_model
from services.classifier.settings import ClassifierSettings
from services.runtime.fairness import Turns
from services.runtime.settings import SettingsError

_NURSERY_START_SECONDS: Final = 60.0
_NURSERY_TRIES: Final = 3
_FORK_SECONDS: Final = 10.0
_BUFFER_BYTES: Final = 1 << 20
_TRIES: Final = 2
_CREDENTIALS: Final = ("HUESTREAM_", "AWS_", "AZURE_", "GOOGLE_")
"""How variables begin that may hold some."""


class DecoderFaultError(Exception):
    """The analysis raised what is no problem of the image: a fault of ours."""


class DecoderDiedError(Exception):
    """A child, or the nursery, ended in the middle of its work."""


class NurseryError(Exception):
    """No child can be had; ours, and no image's."""


@dataclass(frozen=True)
class Reply:
    """What a child says of one image."""

    kind: int
    last: bool
    content: bytes


class DecoderChild:
    """One process that decodes, and the socket to it."""

    def __init__(self, process_id: int, connection: socket.socket) -> None:
        self.process_id = process_id
        self._connection = connection

    async def ask(self, description: bytes, content: bytes) -> Reply:
        """Have one image analyzed; raises `DecoderDiedError`. A canceled child is of no further use."""
        loop = asyncio.get_running_loop()
        try:
            head = REQUEST.pack(len(description), len(content)) + description
            sent = self._send_at_once(head, content)
            if sent < len(head) + len(content):
                await loop.sock_sendall(self._connection, memoryview(head + content)[sent:])
            return await self._reply(loop)
        except OSError as error:
            raise DecoderDiedError from error

    def _send_at_once(self, *parts: bytes) -> int:
        try:
            return self._connection.sendmsg(parts)
        except BlockingIOError:
            return 0

    async def _reply(self, loop: asyncio.AbstractEventLoop) -> Reply:
        found = b""
        wanted = REPLY.size
        while len(found) < wanted:
            more = await loop.sock_recv(self._connection, 65_536)
            if not more:
                raise DecoderDiedError
            found += more
            if wanted == REPLY.size and len(found) >= wanted:
                wanted += REPLY.unpack_from(found)[2]
        kind, last, _ = REPLY.unpack_from(found)
        return Reply(kind, bool(last), found[REPLY.size :])

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process_id, signal.SIGKILL)
        self._connection.close()

    def close(self) -> None:
        """Let it end by itself."""
        self._connection.close()


class Nursery:
    """The process that forks children, started again whenever it is gone."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def process_id(self) -> int | None:
        """The nursery's own process, where there is one just now."""
        return self._process.pid if self._process else None

    async def child(self) -> DecoderChild:
        """Fork a child, from a new nursery where the old one is gone; raises `NurseryError`."""
        async with self._one_at_a_time:
            for _ in range(_NURSERY_TRIES):
                try:
                    control = self._control or await self._started()
                    return await self._forked(control)
                except (OSError, DecoderDiedError):  # it was killed, or its limit has passed
                    self.close()
            raise NurseryError("The process that decodes images does not start, or dies at once")

    async def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._process = _nursery_process(theirs, self._limits)
        self._control = ours
        async with asyncio.timeout(_NURSERY_START_SECONDS):
            await _process_id(ours)
        return ours

    async def _forked(self, control: socket.socket) -> DecoderChild:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        try:
            with theirs:
                socket.send_fds(control, [b"\0"], [theirs.fileno()])
            async with asyncio.timeout(_FORK_SECONDS):
                return DecoderChild(await _process_id(control), ours)
        except BaseException:
            ours.close()
            raise

    def close(self) -> None:
        """End the nursery and, by the kernel's hand, all its children."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


def _nursery_process(control: socket.socket, limits: DecoderLimits) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "services.classifier.decoder_child", str(control.fileno())]
    return subprocess.Popen(  # noqa: S603  # our own module
        [*command, json.dumps(asdict(limits))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the service's own is its log
        env=_environment(os.environ),
        pass_fds=[control.fileno()],
    )


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a process that decodes finds: nothing that opens Kafka or a bucket.

    >>> _environment({"HUESTREAM_KAFKA_PASSWORD": "x", "AWS_SECRET_ACCESS_KEY": "y", "LANG": "C"})
    {'LANG': 'C', 'OPENBLAS_NUM_THREADS': '1', 'OMP_NUM_THREADS': '1'}
    """
    kept = {name: value for name, value in ours.items() if not name.startswith(_CREDENTIALS)}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


async def _process_id(control: socket.socket) -> int:
    found = await asyncio.get_running_loop().sock_recv(control, PROCESS_ID.size)
    if len(found) < PROCESS_ID.size:
        raise DecoderDiedError
    return int(PROCESS_ID.unpack(found)[0])


class Decoders:
    """Analyzes images in child processes, fairly between the inferences that wait."""

    def __init__(self, nursery: Nursery, processes: int, wall_seconds: float, cpu_seconds: float) -> None:
        self._nursery = nursery
        self._turns = Turns(processes)
        self._wall_seconds = wall_seconds
        self._cpu_seconds = cpu_seconds
        self._idle: list[DecoderChild] = []

    @property
    def nursery_id(self) -> int | None:
        """The process whose children decode, where there is one just now."""
        return self._nursery.process_id

    async def prepare(self) -> None:
        """Have a child ready before the first image comes."""
        self._idle.append(await self._nursery.child())

    def close(self) -> None:
        """Let idle children end."""
        while self._idle:
            self._idle.pop().close()

    async def analyze(self, image: ImageFields, content: bytes, owner: str) -> Classification:
        """Analyze one image; raises `DecodeProblem`, for a fault of ours `DecoderFaultError`."""
        began = time.monotonic()
        async with self._turns.turn(owner):
            turn_at = time.monotonic()
            metrics.DECODER_WAIT_SECONDS.observe(turn_at - began)
            try:
                reply = await self._asked(description_of(image), content)
            finally:
                metrics.DECODE_SECONDS.observe(time.monotonic() - turn_at)
        if reply.kind == CLASSIFIED:
            return Classification.model_validate_json(reply.content)
        if reply.kind == FAULT:
            raise DecoderFaultError(reply.content.decode())
        error = ItemError.model_validate_json(reply.content)
        raise DecodeProblem(error.code, error.message)

    async def _asked(self, description: bytes, content: bytes) -> Reply:
        """Ask a child, and after its death another one, both within the one limit."""
        now = asyncio.get_running_loop().time
        remaining = self._wall_seconds
        for _ in range(_TRIES):
            child = self._idle.pop() if self._idle else await self._nursery.child()
            began = now()
            try:
                async with asyncio.timeout(remaining):
                    return self._kept(child, await child.ask(description, content))
            except TimeoutError:
                metrics.ENDS["too_slow"].inc()
                raise _too_slow(self._wall_seconds) from None
            except DecoderDiedError:
                remaining -= now() - began
                is_slow = now() - began >= self._cpu_seconds  # the kernel's limit of processor time
                metrics.ENDS["too_slow" if is_slow else "crashed"].inc()
                if is_slow:
                    raise _too_slow(self._cpu_seconds) from None
            finally:
                if child not in self._idle:
                    child.kill()
        raise DecodeProblem("decode_crashed", "The image crashed the decoder twice")

    def _kept(self, child: DecoderChild, reply: Reply) -> Reply:
        if reply.last:
            metrics.ENDS["recycled"].inc()
        else:
            self._idle.append(child)
        return reply


def _too_slow(seconds: float) -> DecodeProblem:
    return DecodeProblem("decode_timeout", f"The image took more than {seconds:g} seconds to decode")


def _refine_model(settings: ClassifierSettings) -> str | None:
    if settings.refine_model is None:
        return None
    try:
        check_refine_model(settings.refine_model)
    except RefineModelError as error:
        raise SettingsError(f"HUESTREAM_REFINE_MODEL: {error}.") from error
    return str(settings.refine_model.resolve())


@asynccontextmanager
async def decoders(settings: ClassifierSettings) -> AsyncIterator[Decoders]:
    """Run a nursery and a first child until the block ends; raises `SettingsError` for a model that cannot be used."""
    limits = DecoderLimits(
        max_pixels=settings.max_image_pixels,
        cpu_seconds=settings.decode_cpu_seconds,
        address_space_bytes=settings.decoder_memory_bytes,
        recycle_bytes=settings.decoder_memory_bytes // 2,
        recycle_images=settings.decoder_images,
        refine_model=_refine_model(settings),
    )
    nursery = Nursery(limits)
    running = Decoders(nursery, settings.decoders, settings.decode_timeout_seconds, settings.decode_cpu_seconds)
    try:
        await running.prepare()
        yield running
    finally:
        running.close()
        nursery.close()
