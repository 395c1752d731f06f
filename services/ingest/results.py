"""The results of a batch: from the report store once it is finished, from the log while it is not."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Literal

from schemas.events import ImageClassified, UndecodableError
from schemas.results import ResultItem, report_path, results_csv_path, results_ndjson_path
from schemas.results_csv import csv_of
from services.ingest.inferences import Inference
from services.runtime.kafka import Record
from services.runtime.object_store import ObjectFolder
from services.runtime.shared import SharedReads

Form = Literal["application/json", "application/x-ndjson", "text/csv"]
FORMS: Final[tuple[Form, ...]] = ("application/json", "application/x-ndjson", "text/csv")
_ITEMS_OF_A_PIECE: Final = 50
_READS_AT_ONCE: Final = 8
_REMEMBERED: Final = 1_000

ReadLog = Callable[[Inference], Awaitable[list[Record]]]


class Results:
    """Finds results, in the form that is wanted."""

    def __init__(self, store: ObjectFolder, read_log: ReadLog) -> None:
        self._store = store
        self._read_log = read_log
        self._logs: SharedReads[list[Record]] = SharedReads(_READS_AT_ONCE)
        self._finals: SharedReads[bytes | None] = SharedReads(_READS_AT_ONCE)

    async def of(self, inference: Inference, form: Form) -> AsyncIterator[bytes]:
        """Give all results of a finished batch, or those that exist so far, in input order, piece by piece.

        Raises `StoreUnavailableError`, as the reading of the pieces does, and `KafkaUnavailableError`.
        """
        stored = None if inference.state == "in_progress" else await self._stored(inference.inference_id, form)
        if stored is not None:
            return stored
        return written(results_so_far(inference, await self.log_of(inference)), form)

    async def whole(self, inference: Inference, form: Form) -> bytes:
        """Give the same as one; raises the same."""
        return await _joined(await self.of(inference, form))

    async def final(self, inference: Inference) -> bytes | None:
        """Give all results of a finished batch as JSON, or None while they are not in the store."""
        if inference.state == "in_progress":
            return None
        return await self._finals.of(inference.inference_id, partial(self._final, inference.inference_id))

    async def log_of(self, inference: Inference) -> list[Record]:
        """Read the records that are in the log so far; a thousand who ask at once share a few readings."""
        return await self._logs.of(inference.inference_id, partial(self._read_log, inference))

    async def _final(self, inference_id: str) -> bytes | None:
        if await self._store.get(report_path(inference_id)) is None:
            return None
        stored = await self._stored(inference_id, "application/json")
        return None if stored is None else await _joined(stored)

    async def _stored(self, inference_id: str, form: Form) -> AsyncIterator[bytes] | None:
        if form == "text/csv":
            return await self._store.stream(results_csv_path(inference_id))
        lines = await self._store.stream(results_ndjson_path(inference_id))
        return array_of(lines) if lines is not None and form == "application/json" else lines


def results_so_far(inference: Inference, records: Iterable[Record]) -> tuple[ResultItem, ...]:
    """Pick a batch's results out of its log, by the rules of the reporter: its fingerprint, the first one wins."""
    found: dict[int, ResultItem] = {}
    for record in records:
        result = result_in(inference, record)
        if result is not None:
            found.setdefault(result.item.index, result.item)
    return tuple(found[index] for index in sorted(found))


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one image, and the same as JSON."""

    item: ResultItem
    text: bytes
    inference_id: str
    fingerprint: str


def result_in(inference: Inference, record: Record) -> Result | None:
    """Read one record; None where it is no result of this batch."""
    result = _decoded(record.value)
    if result is None or result.inference_id != inference.inference_id or result.item.index >= inference.size:
        return None
    return result if inference.fingerprint in {None, result.fingerprint} else None


@lru_cache(_REMEMBERED)
def _decoded(value: bytes | None) -> Result | None:
    """Decode a result, and write it down, once for all who are told of it: a thousand may watch one batch."""
    try:
        event = ImageClassified.decode(value)
    except UndecodableError:
        return None
    item = ResultItem.model_validate(event.model_dump())
    return Result(item, item.model_dump_json().encode(), event.inference_id, event.fingerprint)


async def written(items: Sequence[ResultItem], form: Form) -> AsyncIterator[bytes]:
    """Write results in a form."""
    if form == "text/csv":
        yield csv_of(items)
        return
    lines = _lines(items)
    async for piece in array_of(lines) if form == "application/json" else lines:
        yield piece


async def _lines(items: Sequence[ResultItem]) -> AsyncIterator[bytes]:
    for first in range(0, len(items), _ITEMS_OF_A_PIECE):
        some = items[first : first + _ITEMS_OF_A_PIECE]
        yield b"".join(item.model_dump_json().encode() + b"\n" for item in some)


async def _joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def array_of(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Make a JSON array of JSON lines, wherever they are cut into pieces."""
    held = b""
    yield b"["
    async for piece in lines:
        text = held + piece
        kept = text.rstrip(b"\n")
        held = text[len(kept) :]  # a comma, if anything follows
        yield kept.replace(b"\n", b",")
    yield b"]"
