"""The Python client, in both forms, against a fake endpoint in the contract's form."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from huestream import AsyncClient, Client, EndpointError, GaveUpError, Image, KeyRefusedError, Patience, RefusedError
from tests.submit.fake_endpoint import FOUND, KEY, FakeEndpoint, fake_endpoint

IMAGE = {
    "image_path": "https://a.example/right.png",
    "product_type": "Shirt",
    "hex_color_label": FOUND,
    "category": "Fashion",
}


@pytest.fixture
async def fake() -> AsyncIterator[FakeEndpoint]:
    async with fake_endpoint() as endpoint:
        yield endpoint


async def test_a_batch_goes_in_and_its_results_come_out(fake: FakeEndpoint) -> None:
    seen = []
    async with AsyncClient(fake.url, KEY) as client:
        taken = await client.submit([IMAGE, Image.model_validate(IMAGE)])
        await client.wait(taken.inference_id, seen.append)
        [first, second] = await client.results(taken.inference_id)
    assert seen[-1].is_finished
    assert first.classification is not None
    assert first.classification.primary.hex == FOUND
    assert second.index == 1
    assert taken.page == f"/inference/{taken.inference_id}/view?token=t"


async def test_the_ordinary_client_does_the_same(fake: FakeEndpoint) -> None:
    def use() -> list[str]:
        with Client(fake.url, KEY) as client:
            taken = client.submit([IMAGE], idempotency_key="mine")
            assert client.status(taken.inference_id).pending == 1
            return [result.status for result in client.results(taken.inference_id, wait=True)]

    assert await asyncio.to_thread(use) == ["succeeded"]
    assert fake.submissions == [("mine", None)]


async def test_a_retry_by_itself_stays_one_batch(fake: FakeEndpoint) -> None:
    fake.refusals.append((503, {"Retry-After": "0"}, {"message": "later"}))
    async with AsyncClient(fake.url, KEY, Patience(longest_pause=0.05)) as client:
        await client.submit([IMAGE])
    assert len(fake.submissions) == 1
    assert fake.submissions[0][0]


async def test_errors_say_whose_they_are(fake: FakeEndpoint, unused_tcp_port: int) -> None:
    async with AsyncClient(fake.url, "hue_wrong") as client:
        with pytest.raises(KeyRefusedError, match="API key is invalid"):
            await client.submit([IMAGE])
    async with AsyncClient(f"http://127.0.0.1:{unused_tcp_port}", KEY, Patience(unreachable=0.1)) as client:
        with pytest.raises(EndpointError, match="nothing answers"):
            await client.submit([IMAGE])
    fake.refusals.append((400, {}, {"message": "Invalid data"}))
    async with AsyncClient(fake.url, KEY, Patience(stalled=0.3)) as client:
        with pytest.raises(RefusedError, match="Invalid data"):
            await client.submit([IMAGE])
        taken = await client.submit([IMAGE])
        fake.looks_until_done = 1000
        with pytest.raises(GaveUpError, match="made no progress"):
            await client.wait(taken.inference_id)


async def test_a_batch_can_be_canceled_until_it_has_ended(fake: FakeEndpoint) -> None:
    fake.looks_until_done = 1000
    async with AsyncClient(fake.url, KEY) as client:
        taken = await client.submit([IMAGE])
        await client.cancel(taken.inference_id)
        assert (await client.wait(taken.inference_id)).is_finished
        with pytest.raises(RefusedError, match="has ended"):
            await client.cancel(taken.inference_id)


async def test_a_client_is_used_within_its_block(fake: FakeEndpoint) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await AsyncClient(fake.url, KEY).status("x")
    with pytest.raises(RuntimeError, match="within `with`"):
        Client(fake.url, KEY).status("x")


async def test_the_example_of_the_documentation_runs(fake: FakeEndpoint) -> None:
    example = Path(__file__).parents[2] / "docs" / "examples" / "client.py"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(example), fake.url, KEY),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(json.dumps([IMAGE]).encode()), 30)
    assert process.returncode == 0
    assert said.decode() == f"0 agree {FOUND} red\n"
