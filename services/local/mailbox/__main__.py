"""Wires the mailbox: `python -m services.local.mailbox --smtp-port P --http-port P --folder DIR`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from services.local.mailbox.catching import catching
from services.local.mailbox.keeping import remove_parts
from services.local.mailbox.page_server import serving
from services.runtime.logs import configure_logs


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
    with serving(host, arguments.http_port, folder) as http_port:
        async with catching(host, arguments.smtp_port, folder, log) as smtp_port:
            log.info("listening", smtp=f"{host}:{smtp_port}", url=f"http://{host}:{http_port}/")
            await stopping.wait()
    log.info("stopped")


def main(words: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; returns the exit status."""
    try:
        asyncio.run(_run(_parser().parse_args(words)))
    except OSError as error:
        sys.stderr.write(f"mailbox: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
