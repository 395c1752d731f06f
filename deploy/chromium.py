"""Debian's chromium, as previews, the pictures of docs/ and tests use it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, async_playwright

_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoChromiumError(Exception):
    """There is no browser; the message says what to install."""


@asynccontextmanager
async def chromium_browser() -> AsyncIterator[Browser]:
    """Run a browser until the block ends; raises `NoChromiumError`."""
    path = shutil.which("chromium")
    if path is None:
        raise NoChromiumError("there is no chromium on the PATH; install Debian's package chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
