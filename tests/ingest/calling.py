"""Calls to replicas, and what they answer."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

SUBMIT = "/inference/color-classification"
ITEM = {
    "image_path": "https://shop.example/0.png",
    "product_type": "Shoes",
    "hex_color_label": "#FE2934",
    "category": "Fashion",
}


def images(count: int, **changes: object) -> list[dict[str, object]]:
    return [ITEM | {"image_path": f"https://shop.example/{index}.png"} | changes for index in range(count)]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True)
class Caller:
    """Someone with a key; `at` picks the replica."""

    session: aiohttp.ClientSession
    urls: Sequence[str]
    key: str | None
    at: int = 0

    def using(self, key: str | None) -> "Caller":
        return replace(self, key=key)

    def on(self, replica: int) -> "Caller":
        return replace(self, at=replica)

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Call with a body that is sent as it is when it is bytes or a stream, and as JSON otherwise."""
        given = {"x-vody-api-key": self.key} if self.key is not None else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, list | dict):
            body = json.dumps(body).encode()
            given = {"Content-Type": "application/json"} | given
        if isinstance(body, bytes):
            body = io.BytesIO(body)
        url = self.urls[self.at % len(self.urls)] + path
        async with self.session.request(method, url, data=body, headers=given) as reply:
            return Answer(reply.status, reply.headers, await reply.read())

    async def submit(self, body: object, **headers: str) -> Answer:
        return await self.call("POST", SUBMIT, body, **headers)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.call("GET", path, **headers)


async def eventually(holds: Callable[[], Awaitable[object]], timeout_seconds: float = 40) -> None:
    async with asyncio.timeout(timeout_seconds):
        while not await holds():  # noqa: ASYNC110  # what holds is in other processes
            await asyncio.sleep(0.1)
