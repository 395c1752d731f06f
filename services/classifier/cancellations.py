"""Which batches were canceled: their images are not fetched any more."""

from collections import OrderedDict
from typing import Final

from schemas.events import CancellationRequested, Event
from services.runtime.kafka import Record

MAX_KNOWN: Final = 100_000
"""Far more than are canceled while their images still wait; the oldest are forgotten first."""


class Cancellations:
    """Folds the topic of cancellations; what it does not know is fetched for nothing, and the reporter drops it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def fold(self, _: Record, event: Event) -> None:
        """Take over that a batch was canceled."""
        if isinstance(event, CancellationRequested):
            self._known[event.inference_id, event.fingerprint] = None
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)

    def includes(self, inference_id: str, fingerprint: str) -> bool:
        """Say whether a batch was canceled."""
        return (inference_id, fingerprint) in self._known
