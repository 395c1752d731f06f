"""Budgets of keys: what is allowed, what a refusal promises, and that all replicas count the same batches."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import ApiKey, BatchSubmitted
from services.ingest.rate_limits import Budget, Limits, RateExceededError, policy_header, state_header
from tests.ingest.calling import Answer, Caller, eventually, images
from tests.ingest.replicas import replica
from tests.kafka_fixtures import RunningKafka

NOW = 1_800_000_000.0
NUMBERS = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


def limits(**changes: int) -> Limits:
    return Limits(**({"requests": 120, "images": 3000, "reads": 600, "failures": 60} | changes))


def record(number: int, size: int, at: float, key_id: str = "key") -> BatchSubmitted:
    submitted_at = datetime.fromtimestamp(at, UTC)
    return BatchSubmitted(
        inference_id=f"00000000-0000-4000-8000-{number:012}",
        key_id=key_id,
        size=size,
        fingerprint="0" * 64,
        submitted_at=submitted_at,
        deadline_at=submitted_at + timedelta(hours=1),
    )


def test_a_full_budget_can_be_spent_at_once_and_comes_back_evenly() -> None:
    budget = Budget("images", 3000)
    assert (budget.left("a", NOW), budget.full_in("a", NOW)) == (3000, 0)
    for _ in range(12):
        assert budget.wait("a", 250, NOW) == 0
        budget.spend("a", 250, NOW)
    assert (budget.left("a", NOW), budget.wait("a", 250, NOW), budget.full_in("a", NOW)) == (0, 6, 60)
    assert (budget.left("a", NOW + 5), budget.wait("a", 250, NOW + 5)) == (250, 0)
    assert budget.left("b", NOW) == 3000


@given(
    quota=st.integers(1, 5000),
    steps=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 300)), max_size=30),
    units=st.integers(1, 300),
)
def test_who_waits_as_told_is_not_refused_and_who_does_not_wait_had_to(
    quota: int, steps: list[tuple[float, int]], units: int
) -> None:
    budget = Budget("x", max(quota, 300))
    now = NOW
    for pause, spent in steps:
        now += pause
        if not budget.wait("a", spent, now):
            budget.spend("a", spent, now)
    wait = budget.wait("a", units, now)
    assert budget.wait("a", units, now + wait) == 0
    assert (budget.left("a", now) >= units) == (wait == 0)
    assert budget.wait("a", units, now + wait - 1.3) > 0 or wait == 0
    assert 0 <= budget.left("a", now) <= budget.quota
    assert budget.left("a", now + budget.full_in("a", now)) == budget.quota


def test_the_refusal_says_what_is_needed_what_is_left_and_when_to_come_back() -> None:
    budgets = limits()
    budgets.reserve("key", "1", 2960, NOW)
    with pytest.raises(RateExceededError) as refused:
        budgets.reserve("key", "2", 250, NOW)
    assert str(refused.value) == (
        "Rate limit exceeded. This request needs 250 images but only 40 of 3000 per minute are left; "
        "retry after 5 seconds"
    )
    assert refused.value.retry_after_seconds == 5
    assert budgets.images.left("key", NOW) == 40  # a refusal costs no images
    with pytest.raises(RateExceededError, match=r"needs 41 images .*; retry after 1 second$"):
        budgets.reserve("key", "2", 41, NOW)


def test_a_batch_of_this_replica_is_counted_once_and_those_of_others_too() -> None:
    budgets = limits()
    budgets.take_request("key", NOW)
    budgets.reserve("key", record(1, 250, NOW).inference_id, 250, NOW)
    budgets.fold(record(1, 250, NOW), NOW)
    assert (budgets.requests.left("key", NOW), budgets.images.left("key", NOW)) == (119, 2750)
    budgets.fold(record(2, 250, NOW), NOW)
    assert (budgets.requests.left("key", NOW), budgets.images.left("key", NOW)) == (118, 2500)


def test_what_was_not_published_is_given_back_unless_it_came_all_the_same() -> None:
    budgets = limits()
    first = record(1, 250, NOW)
    budgets.reserve("key", first.inference_id, 250, NOW)
    budgets.release("key", first.inference_id, 250)
    assert budgets.images.left("key", NOW) == 3000
    budgets.fold(first, NOW)  # a send that timed out was written after all
    assert budgets.images.left("key", NOW) == 2750
    budgets.reserve("key", record(2, 250, NOW).inference_id, 250, NOW)
    budgets.fold(record(2, 250, NOW), NOW)
    budgets.release("key", record(2, 250, NOW).inference_id, 250)
    assert budgets.images.left("key", NOW) == 2500


def test_records_of_long_ago_cost_nothing_and_those_of_a_fast_clock_not_more_than_now() -> None:
    budgets = limits()
    budgets.fold(record(1, 250, NOW - 61), NOW)
    assert budgets.images.left("key", NOW) == 3000
    budgets.fold(record(2, 250, NOW + 3600), NOW)
    assert budgets.images.full_in("key", NOW) == 5


def test_failures_are_counted_by_address() -> None:
    budgets = limits(failures=3)
    for _ in range(3):
        budgets.take_failure("192.0.2.1", NOW)
    with pytest.raises(RateExceededError, match="Too many requests with a wrong API key came from this address"):
        budgets.take_failure("192.0.2.1", NOW)
    budgets.take_failure("192.0.2.2", NOW)


def test_budgets_of_addresses_that_are_full_again_are_forgotten() -> None:
    budget = Budget("failures", 60)
    for number in range(30_000):
        budget.spend(f"10.0.{number // 256}.{number % 256}", 1, NOW + number)
    assert len(budget._full_at) <= 10_001  # noqa: SLF001


def test_the_headers_are_those_of_the_draft() -> None:
    budgets = limits()
    budgets.take_request("key", NOW)
    budgets.take_request("key", NOW)
    budgets.reserve("key", "1", 250, NOW)
    both = (budgets.requests, budgets.images)
    assert policy_header("key", *both) == '"requests";q=120;w=60, "images";q=3000;w=60'
    assert state_header("key", NOW, *both) == '"requests";r=118;t=1, "images";r=2750;t=5'
    assert state_header("key", NOW, *both, retry_after_seconds=1) == '"requests";r=118;t=1, "images";r=2750;t=1'


def test_a_key_may_have_limits_of_its_own() -> None:
    own = ApiKey(
        key_id="own",
        owner="Shop",
        secret_sha256="0" * 64,
        created_at=datetime.now(UTC),
        requests_per_minute=2,
        images_per_minute=500,
    )
    budgets = Limits(requests=120, images=3000, reads=600, failures=60, find_key={"own": own}.get)
    budgets.fold(record(1, 250, NOW, "own"), NOW)
    assert (budgets.requests.left("own", NOW), budgets.images.left("own", NOW)) == (1, 250)
    assert (budgets.requests.left("key", NOW), budgets.images.left("key", NOW)) == (120, 3000)
    budgets.take_request("own", NOW)
    with pytest.raises(RateExceededError, match="2 requests per minute are allowed; retry after 31 seconds"):
        budgets.take_request("own", NOW)
    with pytest.raises(RateExceededError, match="251 images but only 250 of 500 per minute are left"):
        budgets.reserve("own", "2", 251, NOW)
    assert policy_header("own", budgets.requests, budgets.images) == '"requests";q=2;w=60, "images";q=500;w=60'


def test_failures_are_counted_by_the_network_that_one_client_has() -> None:
    budgets = limits(failures=3)
    for number in range(3):
        budgets.take_failure(f"2001:db8::{number}:1", NOW)
    with pytest.raises(RateExceededError):
        budgets.take_failure("2001:db8::ffff", NOW)
    budgets.take_failure("2001:db8:0:1::1", NOW)


@pytest.mark.system
async def test_a_key_s_own_limits_hold_at_all_replicas(caller: Caller, issued: dict[str, str]) -> None:
    small = caller.using(issued["small"])
    first = await small.submit(images(250))
    assert first.status == 200, first.content
    assert first.headers["RateLimit-Policy"] == '"requests";q=3;w=60, "images";q=250;w=60'

    async def knows_the_batch(number: int) -> bool:
        return (await small.on(number).get(f"/inference/{first.body['inference_id']}/status")).status == 200

    for number in (1, 2):
        await eventually(partial(knows_the_batch, number))
        answer = await small.on(number).submit(images(250))  # a minute has to pass before there are so many again
        assert answer.status == 429
        assert "of 250 per minute are left" in answer.body["message"]


def by_status(answer: Answer) -> int:
    return answer.status


def left(answer: Answer) -> dict[str, int]:
    return {name: int(number) for name, number, _ in NUMBERS.findall(answer.headers["RateLimit"])}


@pytest.mark.system
async def test_replies_say_what_is_left_whichever_replica_took_the_batches(caller: Caller) -> None:
    began = time.monotonic()
    first = await caller.submit(images(250))
    seconds = time.monotonic() - began
    assert first.headers["RateLimit-Policy"] == '"requests";q=120;w=60, "images";q=3000;w=60'
    assert 119 <= left(first)["requests"] <= 119 + 2 * seconds  # one comes back every half second
    assert 2750 <= left(first)["images"] <= 2750 + 50 * seconds
    for number in range(1, 12):
        assert (await caller.on(number).submit(images(250))).status == 200
    extras = 0  # what a replica accepts before it has read of the batches of others, each of 5 seconds
    for number in range(3):
        while (answer := await caller.on(number).submit(images(250))).status == 200:
            extras += 1
            assert extras < 12
        assert re.fullmatch(
            r"Rate limit exceeded\. This request needs 250 images but only \d+ of 3000 per minute are left; "
            r"retry after \d+ seconds?",
            answer.body["message"],
        )
        assert (answer.status, answer.body["error"]) == (429, "Too Many Requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 5 * (1 + extras) + 1
        times = [int(seconds) for _, _, seconds in NUMBERS.findall(answer.headers["RateLimit"])]
        assert max(times) <= int(answer.headers["Retry-After"])
    read = await caller.get("/inference/x/status")
    assert read.headers["RateLimit-Policy"] == '"reads";q=600;w=60'


@pytest.mark.system
async def test_requests_are_limited_before_their_bodies_are_read(caller: Caller) -> None:
    answers = [await caller.submit(b"{") for _ in range(121)]
    assert [answer.status for answer in answers[:120]] == [400] * 120
    assert answers[-1].status in {400, 429}  # half a second brings one back
    while (last := max(await asyncio.gather(*(caller.submit(b"{") for _ in range(4))), key=by_status)).status == 400:
        assert len(answers) < 1000
        answers.append(last)
    assert last.body["message"] == "Rate limit exceeded. 120 requests per minute are allowed; retry after 1 second"
    assert left(last)["images"] == 3000


@pytest.mark.system
async def test_clients_that_wait_as_told_are_not_refused_again(issued: dict[str, str], caller: Caller) -> None:
    """Ten clients, each with a key of its own, ask all replicas in turn as fast as they are let."""
    names = [str(number) for number in range(90, 100)]
    ends_at = time.monotonic() + 12

    async def client(name: str) -> tuple[int, int]:
        told, refused_again, number, waited = 0, 0, 0, False
        mine = caller.using(issued[name])
        while time.monotonic() < ends_at:
            answer = await mine.on(number).submit(images(250))
            number += 1
            if answer.status == 200:
                waited = False
                continue
            assert answer.status == 429
            refused_again += waited
            told += 1
            waited = True
            await asyncio.sleep(int(answer.headers["Retry-After"]))
        return told, refused_again

    outcomes = await asyncio.gather(*map(client, names))
    told, refused_again = (sum(column) for column in zip(*outcomes, strict=True))
    assert told >= len(names)
    assert refused_again <= max(1, told / 100)  # one of a few tells nothing about a hundred


@pytest.mark.system
async def test_a_limit_that_no_whole_batch_fits_is_refused_at_start(kafka: RunningKafka, tmp_path: Path) -> None:
    sentence = "huestream: HUESTREAM_IMAGES_PER_MINUTE: Input should be greater than or equal to 250"
    with pytest.raises(AssertionError, match=sentence), replica(kafka.bootstrap, tmp_path, images_per_minute=249):
        raise RuntimeError("it started")
