"""The mails of the demo's batches: waited for, and copied as pages that a browser opens."""

import asyncio
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from services.local.mailbox.mails import body_of

_LOOK_SECONDS: Final = 0.1


class NoMailError(Exception):
    """A mail did not arrive in time; the message is one sentence."""


async def mails_about(folder: Path, inference_ids: Collection[str], timeout_seconds: float) -> list[Path]:
    """Wait for the mail of every inference, and return them as they are named; raises `NoMailError`."""
    deadline = time.monotonic() + timeout_seconds
    while len(mails := _found(folder, inference_ids)) < len(inference_ids):
        if time.monotonic() > deadline:
            raise NoMailError(f"no mail arrived in {folder} within {timeout_seconds:.0f} seconds")
        await asyncio.sleep(_LOOK_SECONDS)
    return sorted(mails)


def _found(folder: Path, inference_ids: Collection[str]) -> list[Path]:
    """The mailbox names a mail by its Message-ID, and the Message-ID names the inference."""
    return [path for inference_id in inference_ids for path in sorted(folder.glob(f"*{inference_id}*.eml"))[:1]]


def copy_html(mail: Path) -> Path | None:
    """Save the HTML of a mail beside it; None when it has none."""
    html = body_of(mail.read_bytes()).html
    if html is None:
        return None
    copy = mail.with_suffix(".html")
    copy.write_text(html, "utf-8")
    return copy
