"""What the classifier and the reporter write, for tests of the endpoint alone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiokafka import TopicPartition

from schemas.events import BatchSubmitted, ImageClassified, ImageSubmitted, InferenceStatus, ItemError
from schemas.results import Report, ResultItem, report_path, results_csv_path, results_ndjson_path
from schemas.results_csv import csv_of
from schemas.topics import BATCHES_SUBMITTED, IMAGES_CLASSIFIED, IMAGES_SUBMITTED, INFERENCES_STATUS, PARTITIONS
from services.runtime.kafka import Publisher, Record, consumer, publisher
from services.runtime.scanning import records_of

_ERROR = ItemError(code="fetch_dns", message="The name has no address")


class Others:
    """Writes results, statuses and reports of batches that the endpoint accepted."""

    def __init__(self, bootstrap: str, publisher: Publisher, report_store: Path) -> None:
        self._bootstrap = bootstrap
        self._publisher = publisher
        self._report_store = report_store

    async def batch_records(self, inference_id: str) -> list[BatchSubmitted]:
        records = await self._records(inference_id)
        return [BatchSubmitted.decode(record.value) for record in records]

    async def traces(self, inference_id: str) -> list[str | None]:
        """List the traces that its batch records belong to."""
        return [record.traceparent for record in await self._records(inference_id)]

    async def _records(self, inference_id: str) -> list[Record]:
        since = datetime.now(UTC) - timedelta(minutes=5)
        return await records_of(self._bootstrap, BATCHES_SUBMITTED, inference_id, since, 20)

    async def image(self, inference_id: str, index: int) -> list[ImageSubmitted]:
        """Find an image's events, which may be in any partition."""
        key = f"{inference_id}/{index}".encode()
        async with consumer(self._bootstrap, 20) as source:
            partitions = [TopicPartition(IMAGES_SUBMITTED.name, number) for number in range(PARTITIONS)]
            source.assign(partitions)
            await source.seek_to_beginning(*partitions)
            ends = await source.end_offsets(partitions)
            found: list[ImageSubmitted] = []
            for partition, end in ends.items():
                while await source.position(partition) < end:
                    for records in (await source.getmany(partition, timeout_ms=200)).values():
                        found += [ImageSubmitted.decode(record.value) for record in records if record.key == key]
        return found

    async def classify(self, inference_id: str, indexes: Sequence[int], fingerprint: str | None = None) -> None:
        """Let these images fail, which is a result as good as any."""
        [batch] = await self.batch_records(inference_id)
        await self._publisher.publish(
            IMAGES_CLASSIFIED,
            [
                ImageClassified(
                    inference_id=inference_id,
                    index=index,
                    fingerprint=fingerprint or batch.fingerprint,
                    image_path=f"https://shop.example/{index}.png",
                    product_type="=1+1",
                    classified_at=datetime.now(UTC),
                    status="failed",
                    error=_ERROR,
                )
                for index in indexes
            ],
        )

    async def tell(self, inference_id: str, failed: int, **changes: object) -> None:
        [batch] = await self.batch_records(inference_id)
        status = InferenceStatus(
            inference_id=inference_id,
            key_id=batch.key_id,
            state="in_progress",
            size=batch.size,
            succeeded=0,
            failed=failed,
            created_at=batch.submitted_at,
            updated_at=datetime.now(UTC),
        )
        await self._publisher.publish(INFERENCES_STATUS, [status.model_copy(update=changes)])

    async def finish(self, inference_id: str, **changes: object) -> None:
        """Store the report, then say so."""
        [batch] = await self.batch_records(inference_id)
        items = tuple(
            ResultItem(index=index, image_path=f"https://shop.example/{index}.png", status="failed", error=_ERROR)
            for index in range(batch.size)
        )
        now = datetime.now(UTC)
        report = Report(
            inference_id=inference_id,
            key_id=batch.key_id,
            reason="complete",
            submitted_at=batch.submitted_at,
            finished_at=now,
            items=items,
        )
        self._put(results_csv_path(inference_id), csv_of(items))
        self._put(results_ndjson_path(inference_id), b"".join(i.model_dump_json().encode() + b"\n" for i in items))
        self._put(report_path(inference_id), report.model_dump_json().encode())
        told = {"state": "completed", "finished_at": now, "expires_at": now + timedelta(days=30)}
        await self.tell(inference_id, batch.size, **(told | {"email_status": "sent"} | changes))

    def _put(self, path: str, content: bytes) -> None:
        target = self._report_store / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


@asynccontextmanager
async def others_of(bootstrap: str, report_store: Path) -> AsyncIterator[Others]:
    async with publisher(bootstrap, 15, 15) as out:
        yield Others(bootstrap, out, report_store)
