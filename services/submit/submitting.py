"""Submitting any number of images as batches, and following them to their results."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiohttp

from schemas.events import ImageFields
from schemas.fields import MAX_BATCH
from schemas.results import ResultItem
from services.progress import Progress
from services.submit.client import KEY_HEADER, Client, Patience, RefusedBatchError, Status, SubmitError

_BATCHES_AT_ONCE: Final = 4
_FIRST_LOOK_SECONDS: Final = 0.25
_LONGEST_LOOK_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Outcome:
    """What became of one image: a result, or the trouble of the batch it was in."""

    image: ImageFields
    inference_id: str | None = None
    result: ResultItem | None = None
    trouble: str | None = None


OnProgress = Callable[[Progress], None]


def idempotency_key(images: Sequence[ImageFields], run: str = "") -> str:
    """Name a batch by what is in it, so that submitting it again is the same batch; another `run` makes it another.

    >>> image = ImageFields(image_path="https://a.example/1.png", product_type="Mug")
    >>> idempotency_key([image]) == idempotency_key([image]), idempotency_key([image]) == idempotency_key([image], "2")
    (True, False)
    """
    content = [run, [image.model_dump() for image in images]]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"submit-{hashlib.sha256(text.encode()).hexdigest()}"


async def submit_items(
    endpoint: str,
    key: str,
    items: Sequence[ImageFields],
    on_progress: OnProgress,
    *,
    run: str = "",
    lenient: bool = False,
    patience: Patience = Patience(),  # noqa: B008  # a frozen value
) -> list[Outcome]:
    """Submit images in batches and follow them; returns one outcome for each, in order.

    The trouble of one batch does not end the others. Raises `SubmitError` when nothing at all can be submitted: a
    wrong key, nobody at the address.
    """
    tally = _Tally(len(items), on_progress)
    tally.tell()
    slots = asyncio.Semaphore(_BATCHES_AT_ONCE)

    async def one(number: int, images: Sequence[ImageFields]) -> list[Outcome]:
        async with slots:
            inference_id = None
            try:
                inference_id = await client.submit(images, idempotency_key(images, run), lenient=lenient)
                await _follow(client, inference_id, partial(tally.update, number, len(images)), patience.stalled)
                return _outcomes(images, inference_id, await client.results(inference_id))
            except RefusedBatchError as error:
                return [Outcome(image, inference_id, trouble=str(error)) for image in images]

    async with aiohttp.ClientSession(headers={KEY_HEADER: key}) as session:
        client = Client(session, endpoint, patience)
        outcomes = await _together([one(number, images) for number, images in enumerate(_batches(items))])
    return [outcome for batch in outcomes for outcome in batch]


def _batches(items: Sequence[ImageFields]) -> Iterator[Sequence[ImageFields]]:
    return (items[start : start + MAX_BATCH] for start in range(0, len(items), MAX_BATCH))


async def _together(work: Sequence[Coroutine[None, None, list[Outcome]]]) -> list[list[Outcome]]:
    """Run all beside each other; the first error ends them all and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except* SubmitError as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _follow(client: Client, inference_id: str, tell: Callable[[Status], None], stalled_seconds: float) -> None:
    """Look until the batch is finished; raises `RefusedBatchError` when it makes no progress for too long."""
    loop = asyncio.get_running_loop()
    pause, pending, moved_at = _FIRST_LOOK_SECONDS, None, loop.time()
    while not (status := await client.status(inference_id)).is_finished:
        tell(status)
        if status.pending != pending:
            pending, moved_at = status.pending, loop.time()
        elif loop.time() - moved_at > stalled_seconds:
            raise RefusedBatchError(
                f"inference {inference_id} made no progress for {stalled_seconds:.0f} s; run the command again later"
            )
        await asyncio.sleep(pause)
        pause = min(1.3 * pause, _LONGEST_LOOK_SECONDS)
    tell(status)


def _outcomes(images: Sequence[ImageFields], inference_id: str, results: Sequence[ResultItem]) -> list[Outcome]:
    found = {result.index: result for result in results}
    return [
        Outcome(image, inference_id, found[index])
        if index in found
        else Outcome(image, inference_id, trouble="the endpoint gave no result for this image")
        for index, image in enumerate(images)
    ]


class _Tally:
    """Adds up what is known of each batch."""

    def __init__(self, total: int, on_progress: OnProgress) -> None:
        self._total = total
        self._batches: dict[int, Progress] = {}
        self._on_progress = on_progress

    def update(self, number: int, size: int, status: Status) -> None:
        """Take over the newest status of a batch."""
        self._batches[number] = Progress(size, size, status.succeeded, status.failed)
        self.tell()

    def tell(self) -> None:
        """Say how far all batches together are."""
        known = self._batches.values()
        self._on_progress(
            Progress(
                self._total,
                sum(batch.accepted for batch in known),
                sum(batch.succeeded for batch in known),
                sum(batch.failed for batch in known),
            )
        )
