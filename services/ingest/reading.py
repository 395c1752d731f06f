"""What an owner reads: status and results of one inference."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from schemas.events import ApiKey
from services.ingest.door import Door
from services.ingest.inferences import Inference, Inferences
from services.ingest.refusals import RefusedError, unavailable
from services.ingest.replies import status_of
from services.ingest.request_headers import choose
from services.ingest.results import FORMS, Results
from services.runtime.kafka import KafkaUnavailableError
from services.runtime.object_store import StoreUnavailableError


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Reading:
    """Handles the GET requests."""

    door: Door
    inferences: Inferences
    results: Results
    now: Callable[[], datetime] = _now

    async def status(self, request: web.Request) -> web.Response:
        """Say how far a batch is."""
        inference = self.owned(request, self.door.enter(request, "read"))
        return web.Response(body=status_of(inference).model_dump_json(), content_type="application/json")

    async def results_of(self, request: web.Request) -> web.Response:
        """Give the results: all of them, or those that exist so far."""
        inference = self.owned(request, self.door.enter(request, "read"))
        self.refuse_expired(inference)
        form = FORMS[choose(request.headers.getall("Accept", ()), FORMS)]
        try:
            body = await self.results.of(inference, form)
        except (KafkaUnavailableError, StoreUnavailableError) as error:
            raise unavailable("The results are") from error
        return web.Response(body=body, content_type=form, charset="utf-8" if form == "text/csv" else None)

    def owned(self, request: web.Request, key: ApiKey) -> Inference:
        """Find the inference of the path; another owner's is as unknown as one that never was."""
        inference_id = request.match_info["inference_id"].lower()
        found = self.inferences.get(inference_id)
        if found is None or not self.door.owns(key, found.key_id):
            raise RefusedError(404, f"Inference {_printable(inference_id)} was not found")
        return found

    def refuse_expired(self, inference: Inference) -> None:
        """Refuse where the results are gone."""
        if inference.expires_at is not None and inference.is_expired(self.now()):
            date = f"{inference.expires_at:%Y-%m-%d}"
            raise RefusedError(410, f"Results of inference {inference.inference_id} expired on {date}")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:64])
