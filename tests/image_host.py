"""An image host on loopback, with what a test wants to see of it."""

import asyncio
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from PIL import Image

SHIRT = "/shirt.jpg"
TEXT = "/text.jpg"


def jpeg(color: tuple[int, int, int]) -> bytes:
    """A square of one color on white."""
    image = Image.new("RGB", (160, 160), "white")
    image.paste(color, (40, 40, 120, 120))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=92)
    return content.getvalue()


class ImageHost:
    """Serves one picture under any name; each answer takes `delay_seconds`."""

    def __init__(self, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        self.url = ""
        self.requests = 0
        self._picture = jpeg((200, 30, 40))

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        await asyncio.sleep(self.delay_seconds)
        if request.path == "/missing.jpg":
            raise web.HTTPNotFound
        if request.path == TEXT:
            return web.Response(text="no image at all")
        return web.Response(body=self._picture, content_type="image/jpeg")


@contextmanager
def image_host(delay_seconds: float = 0.0) -> Iterator[ImageHost]:
    host = ImageHost(delay_seconds)
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_get("/{name:.*}", host.answer)
    runner = web.AppRunner(app, access_log=None)
    loop.run_until_complete(runner.setup())
    loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield host
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
