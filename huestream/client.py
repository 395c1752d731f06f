"""The client for ordinary code: the other one, run by a thread of its own, so that it works in notebooks too."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

from huestream.async_client import AsyncClient, OnStatus
from huestream.calls import Patience
from huestream.values import Image, Status, Submission
from schemas.results import ResultItem

_Answer = TypeVar("_Answer")


class Client:
    """Talks to one endpoint with one key, within `with`."""

    def __init__(self, endpoint: str, key: str, patience: Patience = Patience()) -> None:  # noqa: B008  # a frozen value
        self._client = AsyncClient(endpoint, key, patience)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="huestream", daemon=True)
        self._thread.start()
        self._run(self._client.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._client.__aexit__(kind, error, trace))
        loop, thread = self._loop, self._thread
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
        self._loop = self._thread = None

    def submit(
        self,
        images: Sequence[Image | Mapping[str, object]],
        *,
        idempotency_key: str | None = None,
        lenient: bool = False,
        webhook_url: str | None = None,
    ) -> Submission:
        """Submit 1 to 250 images as a batch; the same idempotency key never makes a second one."""
        work = self._client.submit(images, idempotency_key=idempotency_key, lenient=lenient, webhook_url=webhook_url)
        return self._run(work)

    def status(self, inference_id: str) -> Status:
        """Ask how far a batch is."""
        return self._run(self._client.status(inference_id))

    def wait(self, inference_id: str, on_status: OnStatus = lambda _: None) -> Status:
        """Look until a batch is finished; raises `GaveUpError` when it makes no progress for too long."""
        return self._run(self._client.wait(inference_id, on_status))

    def cancel(self, inference_id: str) -> None:
        """End a batch early: what is done stays; raises `RefusedError` where it has ended by itself."""
        self._run(self._client.cancel(inference_id))

    def results(self, inference_id: str, *, wait: bool = False) -> list[ResultItem]:
        """Read the results of a batch in its order: those that exist, or, after a wait, all."""
        return self._run(self._client.results(inference_id, wait=wait))

    def _run(self, work: Coroutine[None, None, _Answer]) -> _Answer:
        if self._loop is None:
            work.close()
            raise RuntimeError("the client is used within `with`")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C ends the waiting, and with it the work
            raise
