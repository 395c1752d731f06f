"""Submitting any number of images as batches, and following them to their results."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from huestream import AsyncClient, EndpointError, KeyRefusedError, Patience, RefusedError, Status, Submission
from schemas.events import ImageFields
from schemas.fields import MAX_BATCH
from schemas.results import ResultItem
from services.progress import Progress

_BATCHES_AT_ONCE: Final = 4


@dataclass(frozen=True)
class Outcome:
    """What became of one image: a result, or the trouble of the batch it was in."""

    image: ImageFields
    inference_id: str | None = None
    result: ResultItem | None = None
    trouble: str | None = None
    page: str | None = None
    """The path of the page that shows its batch, where the endpoint has such pages."""


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

    The trouble of one batch does not end the others. Raises `EndpointError` and `KeyRefusedError` when nothing
    at all can be submitted: nobody at the address, a wrong key.
    """
    tally = _Tally(len(items), on_progress)
    tally.tell()
    slots = asyncio.Semaphore(_BATCHES_AT_ONCE)

    async def one(number: int, images: Sequence[ImageFields]) -> list[Outcome]:
        async with slots:
            inference_id = None
            try:
                key_of_batch = idempotency_key(images, run)
                taken = await client.submit(images, idempotency_key=key_of_batch, lenient=lenient)
                inference_id = taken.inference_id
                await client.wait(inference_id, partial(tally.update, number, len(images)))
                return _outcomes(images, taken, await client.results(inference_id))
            except RefusedError as error:
                return [Outcome(image, inference_id, trouble=str(error)) for image in images]

    async with AsyncClient(endpoint, key, patience) as client:
        outcomes = await _together([one(number, images) for number, images in enumerate(_batches(items))])
    return [outcome for batch in outcomes for outcome in batch]


def unreached(outcomes: Sequence[Outcome]) -> list[ImageFields]:
    """The images whose host did not answer: where the host is this command, it was not running at that moment."""
    return [outcome.image for outcome in outcomes if _is_unreached(outcome)]


def replaced(outcomes: Sequence[Outcome], later: Sequence[Outcome]) -> list[Outcome]:
    """Put later outcomes in the place of those that were `unreached`, in the same order."""
    fresh = iter(later)
    return [next(fresh) if _is_unreached(outcome) else outcome for outcome in outcomes]


def _is_unreached(outcome: Outcome) -> bool:
    return (
        outcome.result is not None
        and outcome.result.error is not None
        and (outcome.result.error.code in {"fetch_failed", "fetch_timeout"})
    )


def _batches(items: Sequence[ImageFields]) -> Iterator[Sequence[ImageFields]]:
    return (items[start : start + MAX_BATCH] for start in range(0, len(items), MAX_BATCH))


async def _together(work: Sequence[Coroutine[None, None, list[Outcome]]]) -> list[list[Outcome]]:
    """Run all beside each other; the first error ends them all and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except* (EndpointError, KeyRefusedError) as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _outcomes(images: Sequence[ImageFields], taken: Submission, results: Sequence[ResultItem]) -> list[Outcome]:
    found = {result.index: result for result in results}
    return [
        Outcome(image, taken.inference_id, found[index], page=taken.page)
        if index in found
        else Outcome(image, taken.inference_id, trouble="the endpoint gave no result for this image")
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
