"""Steady load: an image host that can be told to fail, and a customer who submits at a steady rate."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from services.demo.offer import PRODUCTS, drawn

BATCH: Final = 6
_HOST: Final = "127.0.0.1"
_BATCH_SECONDS: Final = 1.0
_ODD: Final = 10
"""Every so many batches something is odd: a picture that is missing, a text, a wrong member, a cancellation."""
_READ: Final = {1: ("events",), 3: ("status", "results")}
_TIMEOUT: Final = aiohttp.ClientTimeout(total=40)
_PATH: Final = "/inference/color-classification"


@dataclass
class ImageHost:
    """Serves the demo's drawn products under any folder; `status` other than 200 is what everybody gets."""

    pictures: dict[str, bytes]
    status: int = 200
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer with the picture, or as told."""
        if self.status != 200:
            return web.Response(status=self.status)
        name = request.match_info["name"]
        if name == "text.jpg":
            return web.Response(text="no image at all")
        if (picture := self.pictures.get(name)) is None:
            return web.Response(status=404)
        return web.Response(body=picture)


@asynccontextmanager
async def image_host() -> AsyncIterator[ImageHost]:
    """Serve on a free port of loopback until the block ends."""
    pictures = {product.file_name: await asyncio.to_thread(drawn, product) for product in PRODUCTS}
    host = ImageHost(pictures)
    app = web.Application()
    app.router.add_get("/{folder}/{name}", host.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, 0).start()
        host.url = f"http://{_HOST}:{runner.addresses[0][1]}"
        yield host
    finally:
        await runner.cleanup()


@dataclass
class Customer:
    """Submits a batch each second, whether the last one was answered or not, as separate customers would."""

    endpoint: str
    api_key: str
    host: ImageHost
    statuses: dict[int, int] = field(default_factory=dict)
    """How many submissions got which answer; 0 where there was none."""

    async def submit_steadily(self) -> None:
        """Go on until canceled."""
        told = {"x-vody-api-key": self.api_key}
        async with aiohttp.ClientSession(headers=told, timeout=_TIMEOUT) as session, asyncio.TaskGroup() as group:
            for number in itertools.count():
                group.create_task(self._submit(session, number))
                await asyncio.sleep(_BATCH_SECONDS)

    async def _submit(self, session: aiohttp.ClientSession, number: int) -> None:
        try:
            async with session.post(self.endpoint + _PATH, json=self._body(number)) as answer:
                self._count(answer.status)
                accepted = await answer.json() if answer.status == 200 else None
            if accepted:
                await self._go_on(session, number, accepted["inference_id"])
        except (aiohttp.ClientError, TimeoutError):
            self._count(0)

    def _count(self, status: int) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def _body(self, number: int) -> Sequence[dict[str, str]]:
        chosen = [PRODUCTS[(number * BATCH + place) % len(PRODUCTS)] for place in range(BATCH)]
        body = [
            {
                "image_path": f"{self.host.url}/{number}/{product.file_name}",
                "product_type": product.product_type,
                "hex_color_label": product.label,
                "category": product.category,
            }
            for product in chosen
        ]
        return self._oddly(number, body)

    def _oddly(self, number: int, body: list[dict[str, str]]) -> list[dict[str, str]]:
        if number % _ODD == 5:
            body[0]["image_path"] = f"{self.host.url}/{number}/missing.jpg"
            body[1]["image_path"] = f"{self.host.url}/{number}/text.jpg"
            body[2] = body[3]
        if number % _ODD == 7:
            body[0]["hex_color_label"] = "red"
        if number % _ODD == 9:
            body[0]["image_path"] = "http://10.1.2.3/private.jpg"
        return body

    async def _go_on(self, session: aiohttp.ClientSession, number: int, inference_id: str) -> None:
        """Read, follow or cancel what was accepted, now and then."""
        address = f"{self.endpoint}/inference/{inference_id}"
        for path in _READ.get(number % _ODD, ()):
            async with session.get(f"{address}/{path}") as answer:
                await answer.read()
        if number % _ODD == 8:
            async with session.delete(address) as answer:
                await answer.read()
