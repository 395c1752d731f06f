"""The results of a batch: from the report store once it is finished, from the log while it is not."""

from collections.abc import Awaitable, Callable

from schemas.events import BatchSubmitted, ImageClassified, UndecodableError
from schemas.results import Report, ResultItem, report_path
from services.runtime.kafka import Record
from services.runtime.object_store import ObjectFolder

ReadLog = Callable[[BatchSubmitted], Awaitable[list[Record]]]


async def results_of(batch: BatchSubmitted, store: ObjectFolder, read_log: ReadLog) -> tuple[ResultItem, ...]:
    """Give the results in input order: all of them when the report is there, those that exist so far otherwise."""
    stored = await store.get(report_path(batch.inference_id))
    if stored is not None:
        return Report.model_validate_json(stored).items
    return results_so_far(batch, await read_log(batch))


def results_so_far(batch: BatchSubmitted, records: list[Record]) -> tuple[ResultItem, ...]:
    """Pick the batch's results out of its log, by the rules of the reporter: its fingerprint, the first one wins."""
    found: dict[int, ResultItem] = {}
    for record in records:
        try:
            event = ImageClassified.decode(record.value)
        except UndecodableError:
            continue
        if (event.inference_id, event.fingerprint) == (batch.inference_id, batch.fingerprint):
            found.setdefault(event.index, ResultItem.model_validate(event.model_dump()))
    return tuple(found[index] for index in sorted(found) if index < batch.size)
