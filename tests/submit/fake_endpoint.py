"""A fake of the endpoint: an HTTP server in the test's process that answers in the contract's form, from memory.

It classifies nothing: an image whose name begins with `wrong` disagrees with its label, one with `missing` failed.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web

KEY = "hue_fake_key"
FOUND = "#CC2222"


@dataclass
class FakeEndpoint:
    """What it was asked, and what it is to answer."""

    url: str = ""
    refusals: deque[tuple[int, Mapping[str, str], object]] = field(default_factory=deque)
    """Answers that the next submissions get first: status, headers, body."""
    submissions: list[tuple[str, str | None]] = field(default_factory=list)
    """Idempotency-Key and Prefer of every submission that was accepted."""
    batches: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    looks_until_done: int = 2
    late_looks: int = 0
    """Looks at a status that find nothing at first, as at another replica."""

    def app(self) -> web.Application:
        """Build the server."""
        app = web.Application()
        app.router.add_post("/inference/color-classification", self._submit)
        app.router.add_get("/inference/{id}/status", self._status)
        app.router.add_delete("/inference/{id}", self._cancel)
        app.router.add_get("/inference/{id}/results", self._results)
        return app

    async def _submit(self, request: web.Request) -> web.Response:
        if request.headers.get("x-vody-api-key") != KEY:
            return _error(401, "API key is invalid")
        if self.refusals:
            status, headers, body = self.refusals.popleft()
            return web.json_response(body, status=status, headers=headers)
        key = request.headers["Idempotency-Key"]
        inference_id = str(uuid5(NAMESPACE_URL, key))
        self.submissions.append((key, request.headers.get("Prefer")))
        self.batches[inference_id] = json.loads(await request.read())
        return web.json_response(
            {"message": "Queued", "inference_id": inference_id, "model": "color-classification"},
            headers={"Link": f'</inference/{inference_id}/view?token=t>; rel="alternate"'},
        )

    async def _cancel(self, request: web.Request) -> web.Response:
        inference_id = request.match_info["id"]
        if self.looks.get(inference_id, 0) >= self.looks_until_done:
            return _error(409, f"Inference {inference_id} has ended and can no longer be canceled")
        self.looks_until_done = 0
        return web.json_response({"inference_id": inference_id}, status=202)

    async def _status(self, request: web.Request) -> web.Response:
        inference_id = request.match_info["id"]
        self.looked.set()
        looks = self.looks[inference_id] = self.looks.get(inference_id, 0) + 1
        if looks <= self.late_looks:
            return _error(404, f"Inference {inference_id} was not found")
        size = len(self.batches[inference_id])
        done = size if looks >= self.looks_until_done else 0
        return web.json_response(
            {
                "status": "completed" if done else "in_progress",
                "progress": {"total": size, "succeeded": done, "failed": 0, "pending": size - done},
            }
        )

    async def _results(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        return web.json_response([_result(index, image) for index, image in enumerate(batch)])


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": "…", "message": message, "code": status}, status=status)


def _result(index: int, image: dict[str, object]) -> dict[str, object]:
    name = str(image["image_path"]).rpartition("/")[2]
    if name.startswith("missing"):
        error = {"code": "fetch_http_status", "message": "The image host answered with status 404"}
        return {**image, "index": index, "status": "failed", "classification": None, "error": error}
    return {
        **image,
        "index": index,
        "status": "succeeded",
        "classification": _classification(image, wrong=name.startswith("wrong")),
    }


def _classification(image: dict[str, object], *, wrong: bool) -> dict[str, object]:
    color = {"hex": FOUND, "family": "red", "name": "red", "share": 1.0}
    label = {
        "hex": str(image.get("hex_color_label", FOUND)).upper(),
        "family": "blue" if wrong else "red",
        "verdict": "disagree" if wrong else "agree",
        "delta_e_2000": 50.0 if wrong else 1.0,
        "nearest": FOUND,
        "suggested_hex": FOUND,
        "suggested_name": "red",
    }
    return {
        "primary": {**color, "fine_name": "red", "rgb": [204, 34, 34], "lab": [45, 62, 41], "oklch": [0.5, 0.2, 27]},
        "palette": [color],
        "background": {"kind": "plain", "hex": "#FFFFFF", "share": 0.5},
        "label": label if "hex_color_label" in image else None,
        "pattern": "solid",
        "confidence": 0.9,
        "needs_review": False,
        "review_reasons": [],
    }


@asynccontextmanager
async def fake_endpoint() -> AsyncIterator[FakeEndpoint]:
    """Serve on a free port of loopback until the block ends."""
    fake = FakeEndpoint()
    runner = web.AppRunner(fake.app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield fake
    finally:
        await runner.cleanup()
