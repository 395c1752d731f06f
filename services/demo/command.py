"""`huestream demo`: the main job, to be watched."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from huestream import HuestreamError
from services.demo.mail_copies import NoMailError
from services.demo.photos import PhotosError
from services.demo.show import DemoError, show
from services.demo.stack import StackError
from services.local.command import add_data
from services.terminal import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.description = (
        "Draws a small catalog of products, starts everything on this machine, submits the catalog over HTTP, and ends "
        "with the mail that reports its colors. One label is wrong, one file is not an image, one is missing."
    )
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="submit all photos of this folder instead (jpg, jpeg, png, webp, gif), in batches of 250; a labels.csv or "
        "catalog.csv in it or beside it says what they show: file, product_type, category, hex_color_label",
    )
    add_data(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the demo; returns the exit status."""
    data = arguments.data.expanduser().resolve()
    try:
        asyncio.run(_stoppable(data, arguments.photos))
    except (DemoError, NoMailError, PhotosError, StackError, HuestreamError) as error:
        say(f"huestream: {error}", sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("\nhuestream: stopped", sys.stderr)
        return 130
    return 0


async def _stoppable(data: Path, photos: Path | None) -> None:
    """Take SIGTERM as what Ctrl-C is: everything that was started ends."""
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await show(data, photos)
