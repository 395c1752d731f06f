"""What this replica knows of all inferences: folded from the same topics as every other replica. Pure."""

from schemas.events import BatchSubmitted, Event, InferenceStatus
from services.runtime.kafka import Record


class Inferences:
    """The first batch record and the newest status of every id."""

    def __init__(self) -> None:
        self._batches: dict[str, BatchSubmitted] = {}
        self._statuses: dict[str, InferenceStatus] = {}

    def fold_batch(self, _: Record, event: Event) -> None:
        """Take over a batch record: the first one of an id decides."""
        if isinstance(event, BatchSubmitted):
            self._batches.setdefault(event.inference_id, event)

    def fold_status(self, _: Record, event: Event) -> None:
        """Take over a status: the newest one of an id holds."""
        if isinstance(event, InferenceStatus):
            self._statuses[event.inference_id] = event

    def batch(self, inference_id: str) -> BatchSubmitted | None:
        """Find the batch record that decides."""
        return self._batches.get(inference_id)

    def status(self, inference_id: str) -> InferenceStatus | None:
        """Find the status; a batch of which nothing was reported yet is in progress with nothing done."""
        known = self._statuses.get(inference_id)
        batch = self._batches.get(inference_id)
        if known is not None or batch is None:
            return known
        return InferenceStatus(
            inference_id=inference_id,
            key_id=batch.key_id,
            state="in_progress",
            size=batch.size,
            succeeded=0,
            failed=0,
            created_at=batch.submitted_at,
            updated_at=batch.submitted_at,
        )
