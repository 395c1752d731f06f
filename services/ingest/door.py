"""Who comes in: the API key of a request, what it may do, and how often."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from aiohttp import web

from schemas.events import ApiKey
from services.ingest import metrics
from services.ingest.rate_limits import Budget, Limits, RateExceededError, policy_header, state_header
from services.ingest.refusals import RefusedError
from services.runtime.api_keys import KeyRefusedError, KeyRing

KEY_HEADER: Final = "x-vody-api-key"
KEY_ID: Final = web.RequestKey("key_id", str)
BUDGETS: Final = web.RequestKey("budgets", tuple[Budget, ...])

Purpose = Literal["submit", "read", "cancel"]
_MAY_NOT: Final = {"submit": "submit images", "read": "read results", "cancel": "cancel batches"}


@dataclass(frozen=True)
class Door:
    """Lets requests in by their key; each one costs."""

    keys: KeyRing
    limits: Limits
    now: Callable[[], float] = time.time

    def enter(self, request: web.Request, purpose: Purpose) -> ApiKey:
        """Find the key of a request; raises `RefusedError` (401, 403, 429)."""
        key = self._authenticated(request)
        request[KEY_ID] = key.key_id
        submits = purpose == "submit"
        request[BUDGETS] = (self.limits.requests, self.limits.images) if submits else (self.limits.reads,)
        if ("read" if purpose == "read" else "submit") not in key.scopes:
            raise RefusedError(403, f"API key is not allowed to {_MAY_NOT[purpose]}")
        try:
            (self.limits.take_request if submits else self.limits.take_read)(key.key_id, self.now())
        except RateExceededError as error:
            raise too_many(error) from error
        return key

    def read_by_link(self, inference_id: str) -> None:
        """Let somebody with a link in, on reads of the link's own, apart from its owner's; raises `RefusedError`."""
        try:
            self.limits.take_read(f"link/{inference_id}", self.now())
        except RateExceededError as error:
            raise too_many(error) from error

    def owns(self, key: ApiKey, other_key_id: str) -> bool:
        """Say whether another key belongs to the same owner."""
        other = self.keys.get(other_key_id)
        return other is not None and other.owner == key.owner

    def keys_of_owner(self, key: ApiKey) -> list[str]:
        """List the ids of all keys of a key's owner."""
        return [other.key_id for other in self.keys.all() if other.owner == key.owner]

    def rate_headers(self, request: web.Request, retry_after: str | None) -> dict[str, str]:
        """Say what is allowed and left, where the request had a key."""
        key_id = request.get(KEY_ID)
        if key_id is None:
            return {}
        budgets = request[BUDGETS]
        seconds = int(retry_after) if retry_after else None
        return {
            "RateLimit-Policy": policy_header(key_id, *budgets),
            "RateLimit": state_header(key_id, self.now(), *budgets, retry_after_seconds=seconds),
        }

    def _authenticated(self, request: web.Request) -> ApiKey:
        try:
            return self.keys.authenticate(request.headers.get(KEY_HEADER), datetime.fromtimestamp(self.now(), UTC))
        except KeyRefusedError as error:
            try:
                self.limits.take_failure(request.remote or "", self.now())
            except RateExceededError as exceeded:
                raise too_many(exceeded) from error
            raise RefusedError(401, str(error), {"WWW-Authenticate": f'ApiKey header="{KEY_HEADER}"'}) from error


def too_many(error: RateExceededError) -> RefusedError:
    """Answer that a budget is spent."""
    metrics.LIMITED.labels(error.budget).inc()
    return RefusedError(429, str(error), {"Retry-After": str(error.retry_after_seconds)})
