from collections.abc import AsyncIterator

import pytest

from huestream import EndpointError, KeyRefusedError, Patience
from schemas.events import ImageFields, ItemError
from schemas.results import ResultItem
from services.progress import Progress
from services.submit.submitting import Outcome, replaced, submit_items, unreached
from tests.submit.fake_endpoint import KEY, FakeEndpoint, fake_endpoint

BRIEF = Patience(request=5, unreachable=0.3, busy=3, stalled=1, longest_pause=0.05)


@pytest.fixture
async def fake() -> AsyncIterator[FakeEndpoint]:
    async with fake_endpoint() as endpoint:
        yield endpoint


def images(count: int, name: str = "image") -> list[ImageFields]:
    return [
        ImageFields(
            image_path=f"https://a.example/{name}-{number}.png",
            product_type="Shirt",
            hex_color_label="#FF0000",
            category="Fashion",
        )
        for number in range(count)
    ]


def ignore(_: Progress) -> None:
    """Nobody watches."""


async def test_every_image_gets_its_own_result_in_order(fake: FakeEndpoint) -> None:
    submitted = images(600)
    outcomes = await submit_items(fake.url, KEY, submitted, ignore, patience=BRIEF)
    assert [outcome.image for outcome in outcomes] == submitted
    assert [outcome.result.image_path for outcome in outcomes if outcome.result] == [
        image.image_path for image in submitted
    ]
    assert sorted(map(len, fake.batches.values())) == [100, 250, 250]


async def test_submitting_again_is_the_same_batch_and_another_run_another(fake: FakeEndpoint) -> None:
    for run in ("", "", "again"):
        await submit_items(fake.url, KEY, images(3), ignore, run=run, patience=BRIEF)
    keys = [key for key, _ in fake.submissions]
    assert keys[0] == keys[1] != keys[2]


async def test_progress_grows_to_the_total(fake: FakeEndpoint) -> None:
    seen: list[Progress] = []
    await submit_items(fake.url, KEY, images(300), seen.append, patience=BRIEF)
    assert seen[0] == Progress(300)
    assert seen[-1] == Progress(300, 300, 300, 0)
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)


@pytest.mark.parametrize("status", [429, 503, 409])
async def test_a_busy_endpoint_is_asked_again_with_the_same_key(fake: FakeEndpoint, status: int) -> None:
    fake.refusals.extend([(status, {"Retry-After": "0"}, {"message": "later"})] * 3)
    [outcome] = await submit_items(fake.url, KEY, images(1), ignore, patience=BRIEF)
    assert outcome.result
    assert len(fake.submissions) == 1


async def test_an_endpoint_that_stays_busy_is_given_up(fake: FakeEndpoint) -> None:
    fake.refusals.extend([(503, {"Retry-After": "1"}, {"message": "The inference queue is unavailable"})] * 1000)
    patience = Patience(busy=0.2, longest_pause=0.05)
    [outcome] = await submit_items(fake.url, KEY, images(1), ignore, patience=patience)
    assert outcome.trouble
    assert outcome.trouble.startswith("The inference queue is unavailable (HTTP status 503, still after")


async def test_the_refusal_of_one_batch_does_not_end_the_others(fake: FakeEndpoint) -> None:
    fake.refusals.append((400, {}, {"message": "Invalid data.\x1b[2J Index 1's value"}))
    outcomes = await submit_items(fake.url, KEY, images(500), ignore, patience=BRIEF)
    troubles = [outcome.trouble for outcome in outcomes if outcome.trouble]
    assert len(troubles) == 250
    assert set(troubles) == {"Invalid data.?[2J Index 1's value (HTTP status 400)"}
    assert sum(1 for outcome in outcomes if outcome.result) == 250


async def test_a_wrong_key_ends_everything_at_once(fake: FakeEndpoint) -> None:
    with pytest.raises(KeyRefusedError, match="API key is invalid"):
        await submit_items(fake.url, "hue_wrong", images(1000), ignore, patience=BRIEF)


async def test_nobody_at_the_address_is_one_sentence(unused_tcp_port: int) -> None:
    with pytest.raises(EndpointError, match="nothing answers at"):
        await submit_items(f"http://127.0.0.1:{unused_tcp_port}", KEY, images(1), ignore, patience=BRIEF)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:1", "ftp://127.0.0.1", "http://", "://", "http://[::1"])
async def test_what_is_no_url_is_said_to_be_none(endpoint: str) -> None:
    with pytest.raises(EndpointError, match="is not a URL"):
        await submit_items(endpoint, KEY, images(1), ignore, patience=BRIEF)


async def test_another_kind_of_server_is_recognized(fake: FakeEndpoint) -> None:
    with pytest.raises(EndpointError, match="no huestream endpoint at this address"):
        await submit_items(f"{fake.url}/elsewhere", KEY, images(1), ignore, patience=BRIEF)


async def test_a_replica_that_learns_late_of_a_batch_is_asked_again(fake: FakeEndpoint) -> None:
    fake.late_looks = 1
    [outcome] = await submit_items(fake.url, KEY, images(1), ignore, patience=Patience(unreachable=5))
    assert outcome.result


async def test_a_batch_without_progress_is_given_up(fake: FakeEndpoint) -> None:
    fake.looks_until_done = 1000
    [outcome] = await submit_items(fake.url, KEY, images(1), ignore, patience=BRIEF)
    assert outcome.trouble
    assert "made no progress for 1 s" in outcome.trouble


async def test_lenient_handling_is_asked_for_only_when_wanted(fake: FakeEndpoint) -> None:
    bare = [ImageFields(image_path="https://a.example/1.png", product_type="Mug")]
    await submit_items(fake.url, KEY, bare, ignore, lenient=True, patience=BRIEF)
    await submit_items(fake.url, KEY, images(1), ignore, patience=BRIEF)
    assert [prefer for _, prefer in fake.submissions] == ["handling=lenient", None]
    assert next(iter(fake.batches.values())) == [{"image_path": "https://a.example/1.png", "product_type": "Mug"}]


def test_what_nobody_served_is_put_in_its_place_when_it_comes_later() -> None:
    def failed(image: ImageFields, code: str) -> Outcome:
        error = ItemError.model_validate({"code": code, "message": "no"})
        return Outcome(image, "1", ResultItem(index=0, status="failed", error=error))

    one, two, three = images(3)
    outcomes = [failed(one, "image_corrupt"), failed(two, "fetch_failed"), Outcome(three, trouble="refused")]
    assert unreached(outcomes) == [two]
    assert replaced(outcomes, [Outcome(two, "2")]) == [outcomes[0], Outcome(two, "2"), outcomes[2]]
