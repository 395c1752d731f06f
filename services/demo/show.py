"""The demo from start to end: draw, serve, start the system, submit, wait for the mail, tell, stop."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huestream import Patience
from schemas.events import ImageFields
from services.demo.image_host import image_host
from services.demo.mail_copies import copy_html, mails_about
from services.demo.offer import PRODUCTS, TEXT, TEXT_FILE, drawn, offer_items
from services.demo.photos import photo_items, photos_in
from services.demo.stack import Stack, running_stack
from services.demo.telling import told
from services.submit.submitting import Outcome, submit_items
from services.terminal import ProgressBar, has_true_color, say

_MAIL_SECONDS: Final = 60.0
_PATIENCE: Final = Patience(busy=120, stalled=120)


class DemoError(Exception):
    """The demo could not be shown to its end; the message is one sentence."""


@dataclass(frozen=True)
class Shown:
    """What the demo ends with."""

    outcomes: Sequence[Outcome]
    mails: Sequence[Path]
    pages: Sequence[Path]


def speak(line: str) -> None:
    """Tell what happens, beside the progress bar."""
    say(line, sys.stderr)


async def show(data: Path, photos: Path | None) -> None:
    """Show everything; raises what keeps it from its end."""
    began = time.monotonic()
    async with _offered(photos) as writing, running_stack(data, speak) as stack:
        ready = time.monotonic()
        shown = await _shown(stack, await writing)
        arrived = time.monotonic()
    say(f"\n{told(shown.outcomes, colored=has_true_color(sys.stdout))}\n")
    for mail in shown.mails:
        say(f"mail:  {mail}")
    for page in shown.pages:
        say(f"to open in a browser:  {page}")
    say(f"\n{arrived - began:.1f} s from start to mail, {arrived - ready:.1f} s of them after the system was ready.")


@asynccontextmanager
async def _offered(photos: Path | None) -> AsyncIterator[asyncio.Task[list[ImageFields]]]:
    """Serve what is to be submitted; the catalog is written in a task, so that the system can start meanwhile."""
    files: dict[str, bytes | Path] = {}
    async with image_host(files) as address:
        found = photos_in(photos) if photos else None
        writing = asyncio.create_task(_photo_items(files, found, address) if found else _drawn_items(files, address))
        try:
            yield writing
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)


async def _photo_items(files: dict[str, bytes | Path], photos: Sequence[Path], address: str) -> list[ImageFields]:
    files |= {photo.name: photo.absolute() for photo in photos}
    return photo_items(photos, address)


async def _drawn_items(files: dict[str, bytes | Path], address: str) -> list[ImageFields]:
    speak(f"drawing {len(PRODUCTS)} products")
    for product in PRODUCTS:
        files[product.file_name] = await asyncio.to_thread(drawn, product)
    files[TEXT_FILE] = TEXT
    return offer_items(address)


async def _shown(stack: Stack, items: Sequence[ImageFields]) -> Shown:
    outcomes = await _submitted(stack, items)
    troubles = [outcome.trouble for outcome in outcomes if outcome.trouble]
    if troubles:
        raise DemoError(f"{len(troubles)} of {len(items)} images have no result: {troubles[0]}")
    speak("waiting for the mail")
    ids = list(dict.fromkeys(outcome.inference_id for outcome in outcomes if outcome.inference_id))
    mails = await mails_about(stack.mail_dir, ids, _MAIL_SECONDS)
    pages = [page for mail in mails if (page := copy_html(mail))]
    return Shown(outcomes, mails, pages)


async def _submitted(stack: Stack, items: Sequence[ImageFields]) -> list[Outcome]:
    """Submit, as a new run each time: what an earlier demo submitted is another batch."""
    speak(f"submitting {len(items)} images to {stack.endpoint}")
    lenient = any(item.hex_color_label is None or item.category is None for item in items)
    progress = ProgressBar(sys.stderr)
    try:
        return await submit_items(
            stack.endpoint,
            stack.api_key,
            items,
            progress,
            run=secrets.token_hex(8),
            lenient=lenient,
            patience=_PATIENCE,
        )
    finally:
        progress.close()
