"""The processes that decode: a nursery that has imported everything, and its children, which can be killed.

    python -m services.classifier.decoder_child CONTROL_FD LIMITS_AS_JSON

For each socket that comes over the control socket the nursery forks a child, ready at once, and answers with its
process id. A child answers one image after the other over its socket until that is closed. Nothing else is shared.
"""

import gc
import io
import json
import os
import signal
import socket
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from services.classifier.classifying import analysis_of
from services.classifier.color import Analysis
from services.classifier.decoder_framing import (
    CLASSIFIED,
    FAULT,
    PROBLEM,
    PROCESS_ID,
    REPLY,
    REQUEST,
    Description,
    read_description,
)
from services.classifier.decoder_limits import (
    DecoderLimits,
    gain_nothing_new,
    keep_freed_memory,
    limit_next_image,
    limit_process,
    resident_bytes,
)
from services.classifier.decoding import decode
from services.classifier.problems import DecodeProblem, too_much_memory
from services.classifier.refining import FigureFinder, figure_finder
from services.runtime.orphans import die_with_parent


def main(arguments: Sequence[str]) -> None:
    """Run a nursery until its control socket is closed."""
    control = socket.socket(fileno=int(arguments[0]))
    limits = DecoderLimits(**json.loads(arguments[1]))
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which ends its children in order
    keep_freed_memory()
    warnings.simplefilter("ignore")  # of damaged metadata; what matters raises
    _warm_up(limits)
    gc.collect()
    gc.freeze()  # so that children do not touch, and thereby copy, the pages of what lives for ever
    control.sendall(PROCESS_ID.pack(os.getpid()))
    _fork_children(control, limits)


def _warm_up(limits: DecoderLimits) -> None:
    """Do all once, so that children find every module imported and every table made."""
    image, find_figure = Description("Shirt", None, "#C81E28"), _figure_finder(limits)
    content = b""
    for kind in ("PNG", "WEBP", "GIF", "JPEG"):
        file = io.BytesIO()
        Image.new("RGB", (16, 16), (200, 30, 40)).save(file, kind)
        content = file.getvalue()
        decode(content, limits.max_pixels)
    written(analysis_of(image, content, limits.max_pixels, find_figure))


def _figure_finder(limits: DecoderLimits) -> FigureFinder | None:
    return figure_finder(Path(limits.refine_model)) if limits.refine_model else None


def _fork_children(control: socket.socket, limits: DecoderLimits) -> None:
    while True:
        message, sockets, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        _bury()
        process = os.fork()
        if process == 0:
            control.close()
            _live(sockets[0], limits)
        os.close(sockets[0])
        control.sendall(PROCESS_ID.pack(process))


def _bury() -> None:
    """Forget children that are dead; their ids stay theirs until then, and a kill can hit nobody else."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return


def _live(descriptor: int, limits: DecoderLimits) -> None:
    status = 1
    try:
        die_with_parent()
        gain_nothing_new()
        limit_process(limits)
        with socket.socket(fileno=descriptor) as connection:
            serve(connection, limits)
        status = 0
    finally:
        os._exit(status)


def serve(connection: socket.socket, limits: DecoderLimits) -> None:
    """Answer one image after the other until the other side closes, or this process has grown or lived too long."""
    requests = connection.makefile("rb")
    for number in range(limits.recycle_images):
        head = requests.read(REQUEST.size)
        if len(head) < REQUEST.size:
            return
        limit_next_image(limits)
        kind, outcome = _answer(requests, head, limits)
        last = number + 1 == limits.recycle_images or resident_bytes() > limits.recycle_bytes
        connection.sendall(REPLY.pack(kind, last, len(outcome)) + outcome)
        if last:
            return


def _answer(requests: BinaryIO, head: bytes, limits: DecoderLimits) -> tuple[int, bytes]:
    description, content = REQUEST.unpack(head)
    try:
        image = read_description(requests.read(description))
        analysis = analysis_of(image, requests.read(content), limits.max_pixels, _figure_finder(limits))
    except DecodeProblem as problem:
        return PROBLEM, _told(problem)
    except MemoryError:
        return PROBLEM, _told(too_much_memory())
    except Exception as fault:  # noqa: BLE001  # ours: told to the parent, which logs it
        return FAULT, f"{type(fault).__name__}: {fault}"[:1000].encode()
    return CLASSIFIED, written(analysis)


def _told(problem: DecodeProblem) -> bytes:
    return json.dumps({"code": problem.code, "message": problem.message}).encode()


def written(analysis: Analysis) -> bytes:
    """Write an analysis as JSON, as the contract names its members; the consumer validates it."""
    return json.dumps(analysis, default=vars).encode()


if __name__ == "__main__":
    main(sys.argv[1:])
