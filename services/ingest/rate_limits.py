"""Budgets per key, as GCRA: one number for each key says when its budget will be full again. Pure.

Accepted batches are shared: every replica folds the batch records that all replicas publish. What a replica refused,
and what was only read, counts in that replica alone.
Source: ATM Forum TM-4.1, 4.4.2; headers as in draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final, Literal

from schemas.events import ApiKey, BatchSubmitted

WINDOW_SECONDS: Final = 60.0
_TOLERANCE: Final = 1e-3  # of a second or a unit: clocks are floats
_MARGIN_SECONDS: Final = 0.25
"""Added to what a client is told to wait: the clocks of replicas and clients are not one."""
_TIDY_ABOVE: Final = 10_000


BudgetName = Literal["requests", "images", "reads", "failures"]


class RateExceededError(Exception):
    """A budget does not hold what a request needs; the message is the contract's sentence."""

    def __init__(self, budget: BudgetName, what: str, retry_after_seconds: int) -> None:
        unit = "second" if retry_after_seconds == 1 else "seconds"
        super().__init__(f"Rate limit exceeded. {what}; retry after {retry_after_seconds} {unit}")
        self.budget = budget
        self.retry_after_seconds = retry_after_seconds


Own = Callable[[str], int | None]


def _none_own(_: str) -> None:
    return None


@dataclass
class Budget:
    """So many units a minute for each key, or its own number; a full budget may be spent at once."""

    name: BudgetName
    quota: int
    own: Own = _none_own
    _full_at: dict[str, float] = field(default_factory=dict)

    def left(self, key_id: str, now: float) -> int:
        """Units that can be spent now."""
        return max(0, math.floor(self.quota_of(key_id) - self._debt(key_id, now) / self._cost(key_id) + _TOLERANCE))

    def full_in(self, key_id: str, now: float) -> int:
        """Whole seconds until the budget is full again."""
        return math.ceil(self._debt(key_id, now) - _TOLERANCE)

    def wait(self, key_id: str, units: int, now: float) -> int:
        """Whole seconds until these units can be spent; 0 when they can be now."""
        missing = self._debt(key_id, now) + units * self._cost(key_id) - WINDOW_SECONDS
        return math.ceil(missing + _MARGIN_SECONDS) if missing > _TOLERANCE else 0

    def spend(self, key_id: str, units: int, at: float) -> None:
        """Spend units that were used at a time, whether they are there or not."""
        self._full_at[key_id] = max(self._full_at.get(key_id, 0.0), at) + units * self._cost(key_id)
        if len(self._full_at) > _TIDY_ABOVE:
            self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > at}

    def give_back(self, key_id: str, units: int) -> None:
        """Take back that units were spent."""
        self._full_at[key_id] = self._full_at.get(key_id, 0.0) - units * self._cost(key_id)

    def quota_of(self, key_id: str) -> int:
        """Units that a key may spend in a minute."""
        return self.own(key_id) or self.quota

    def _cost(self, key_id: str) -> float:
        return WINDOW_SECONDS / self.quota_of(key_id)

    def _debt(self, key_id: str, now: float) -> float:
        return max(0.0, self._full_at.get(key_id, 0.0) - now)


FindKey = Callable[[str], ApiKey | None]


def _requests_of(key: ApiKey | None) -> int | None:
    return key.requests_per_minute if key else None


def _images_of(key: ApiKey | None) -> int | None:
    return key.images_per_minute if key else None


class Limits:
    """The budgets of all keys, as far as this replica knows; `find_key` tells which have limits of their own."""

    def __init__(self, *, requests: int, images: int, reads: int, failures: int, find_key: FindKey = _none_own) -> None:
        self.requests = Budget("requests", requests, lambda key_id: _requests_of(find_key(key_id)))
        self.images = Budget("images", images, lambda key_id: _images_of(find_key(key_id)))
        self.reads = Budget("reads", reads)
        self._failures = Budget("failures", failures)
        self._reserved: set[str] = set()

    def take_request(self, key_id: str, now: float) -> None:
        """Spend one submission; raises `RateExceededError`."""
        _take(self.requests, key_id, now)

    def take_read(self, key_id: str, now: float) -> None:
        """Spend one read; raises `RateExceededError`."""
        _take(self.reads, key_id, now)

    def take_failure(self, address: str, now: float) -> None:
        """Count a request with a wrong key; raises `RateExceededError` when there were too many from there."""
        network = network_of(address)
        if wait := self._failures.wait(network, 1, now):
            raise RateExceededError("failures", "Too many requests with a wrong API key came from this address", wait)
        self._failures.spend(network, 1, now)

    def reserve(self, key_id: str, inference_id: str, images: int, now: float) -> None:
        """Spend a batch's images before it is published; raises `RateExceededError`."""
        if wait := self.images.wait(key_id, images, now):
            left, quota = self.images.left(key_id, now), self.images.quota_of(key_id)
            needs = f"{images} image{'s' * (images != 1)}"
            what = f"This request needs {needs} but only {left} of {quota} per minute are left"
            raise RateExceededError("images", what, wait)
        self.images.spend(key_id, images, now)
        self._reserved.add(inference_id)

    def release(self, key_id: str, inference_id: str, images: int) -> None:
        """Give back what was reserved for a batch that was not published, unless its record came all the same."""
        if inference_id in self._reserved:
            self._reserved.discard(inference_id)
            self.images.give_back(key_id, images)

    def settle(self, inference_id: str) -> None:
        """Note that a reserved batch is in the log, and stays paid."""
        self._reserved.discard(inference_id)

    def fold(self, batch: BatchSubmitted, now: float) -> None:
        """Count a batch that is in the log: those of this replica are counted already."""
        if batch.inference_id in self._reserved:
            self._reserved.discard(batch.inference_id)
            return
        at = min(batch.submitted_at.timestamp(), now)
        if at > now - WINDOW_SECONDS:
            self.images.spend(batch.key_id, batch.size, at)
            self.requests.spend(batch.key_id, 1, at)


def _take(budget: Budget, key_id: str, now: float) -> None:
    if wait := budget.wait(key_id, 1, now):
        raise RateExceededError(budget.name, f"{budget.quota_of(key_id)} {budget.name} per minute are allowed", wait)
    budget.spend(key_id, 1, now)


def network_of(address: str) -> str:
    """Name what one client can send from: an address, or all of an IPv6 network of 64 bits.

    >>> network_of("192.0.2.1"), network_of("2001:db8::1:2"), network_of("?")
    ('192.0.2.1', '2001:db8::/64', '?')
    """
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return address if version == 4 else str(ip_network((address.partition("%")[0], 64), strict=False))


def policy_header(key_id: str, *budgets: Budget) -> str:
    """Say what is allowed.

    >>> policy_header("key", Budget("requests", 120), Budget("images", 3000))
    '"requests";q=120;w=60, "images";q=3000;w=60'
    """
    return ", ".join(f'"{budget.name}";q={budget.quota_of(key_id)};w={WINDOW_SECONDS:.0f}' for budget in budgets)


def state_header(key_id: str, now: float, *budgets: Budget, retry_after_seconds: int | None = None) -> str:
    """Say what is left, and in how many seconds more will be; never later than `Retry-After` promises.

    >>> state_header("key", 0.0, Budget("requests", 120))
    '"requests";r=120;t=0'
    """
    latest = math.inf if retry_after_seconds is None else retry_after_seconds
    return ", ".join(
        f'"{budget.name}";r={budget.left(key_id, now)};t={min(budget.full_in(key_id, now), latest)}'
        for budget in budgets
    )
