"""Wires the mailbox: `python -m services.local.mailbox --smtp-port P --http-port P --folder DIR`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from services.local.mailbox.catching import catching
from services.local.mailbox.keeping import remove_parts
from services.local.mailbox.page_server import serving
from services.runtime.logs import configure_logs


class PortError(Exception):
    """A port cannot be listened on; the message is one sentence."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailbox", description="Keeps every mail it is given as a file, shows them on a page, and sends none."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--smtp-port", type=int, default=0, help="port for mails (default: a free one)")
    parser.add_argument("--http-port", type=int, default=0, help="port of the page (default: a free one)")
    parser.add_argument("--folder", type=Path, required=True, help="where the mails are kept, one .eml file each")
    return parser


async def _run(arguments: argparse.Namespace) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    log = configure_logs("mailbox", "info")
    host, folder = arguments.host, arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    remove_parts(folder)
    async with AsyncExitStack() as stack:
        with _explained(arguments.http_port):
            http_port = stack.enter_context(serving(host, arguments.http_port, folder))
        with _explained(arguments.smtp_port):
            smtp_port = await stack.enter_async_context(catching(host, arguments.smtp_port, folder, log))
        log.info("listening", smtp=f"{host}:{smtp_port}", url=f"http://{host}:{http_port}/")
        await stopping.wait()
    log.info("stopped")


@contextmanager
def _explained(port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortError(f"port {port} cannot be had: {os.strerror(error.errno or 0)}") from error


def main(words: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; returns the exit status."""
    try:
        asyncio.run(_run(_parser().parse_args(words)))
    except (OSError, PortError) as error:
        sys.stderr.write(f"mailbox: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
