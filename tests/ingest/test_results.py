"""Status and results of a batch, from its acceptance until they expire, at any replica."""

import asyncio
import csv
import io
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.request_headers import MAX_WAIT_SECONDS
from services.ingest.results import array_of
from tests.ingest.calling import Answer, Caller, images
from tests.ingest.others import Others

pytestmark = pytest.mark.system


async def submitted(caller: Caller, count: int, **headers: str) -> str:
    answer = await caller.submit(images(count), **headers)
    assert answer.status == 200, answer.content
    return str(answer.body["inference_id"])


async def wait_for_answer(caller: Caller, path: str, **wanted: object) -> Answer:
    """Ask until the reply is as wanted: other replicas read the log a moment later."""
    async with asyncio.timeout(40):
        while True:
            answer = await caller.get(path)
            found = {"code": answer.status} | (answer.body if answer.content.startswith(b"{") else {})
            if all(found.get(name) == value for name, value in wanted.items()):
                return answer
            await asyncio.sleep(0.02)


async def test_a_batch_is_in_progress_as_soon_as_it_is_accepted(caller: Caller) -> None:
    inference_id = await submitted(caller, 3)
    status = (await caller.get(f"/inference/{inference_id}/status")).body
    created_at = datetime.fromisoformat(status["created_at"])
    assert abs((datetime.now(UTC) - created_at).total_seconds()) < 30
    assert status == {
        "id": inference_id,
        "created_at": status["created_at"],
        "updated_at": status["created_at"],
        "status": "in_progress",
        "model": "color-classification",
        "response_code": 200,
        "request_item_count": 3,
        "response_item_count": 0,
        "response_time": 0.0,
        "progress": {"total": 3, "succeeded": 0, "failed": 0, "pending": 3},
        "expires_at": None,
        "report": {"email_status": "pending"},
    }
    results = await caller.get(f"/inference/{inference_id.upper()}/results")
    assert (results.status, results.body) == (200, [])


async def test_partial_results_are_the_batchs_own_the_first_of_each_in_input_order(
    caller: Caller, others: Others
) -> None:
    inference_id = await submitted(caller, 4)
    await others.classify(inference_id, [0], fingerprint="0" * 64)
    await others.classify(inference_id, [3, 1, 3, 200])
    await others.tell(inference_id, 2)
    for replica in range(3):
        status = await wait_for_answer(caller.on(replica), f"/inference/{inference_id}/status", response_item_count=2)
        assert status.body["progress"] == {"total": 4, "succeeded": 0, "failed": 2, "pending": 2}
        results = await caller.on(replica).get(f"/inference/{inference_id}/results")
        assert [item["index"] for item in results.body] == [1, 3]
        assert results.body[0] == {
            "index": 1,
            "image_path": "https://shop.example/1.png",
            "product_type": "=1+1",
            "hex_color_label": None,
            "category": None,
            "custom_id": None,
            "status": "failed",
            "classification": None,
            "error": {"code": "fetch_dns", "message": "The name has no address"},
        }


@pytest.mark.parametrize("finished", [False, True], ids=["partial", "finished"])
async def test_results_come_in_the_form_that_is_asked_for(caller: Caller, others: Others, *, finished: bool) -> None:
    inference_id = await submitted(caller, 3)
    path = f"/inference/{inference_id}/results"
    if finished:
        await others.finish(inference_id)
        await wait_for_answer(caller, f"/inference/{inference_id}/status", status="completed")
    else:
        await others.classify(inference_id, [0, 1, 2])
    as_json = await caller.get(path, Accept="*/*")
    assert as_json.headers["Content-Type"] == "application/json"
    lines = await caller.get(path, Accept="application/x-ndjson, application/json;q=0.9")
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.content.splitlines()] == as_json.body
    table = await caller.get(path, Accept="text/csv")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert [(row["index"], row["error_code"]) for row in rows] == [(str(index), "fetch_dns") for index in range(3)]
    assert [row["product_type"] for row in rows] == ([""] * 3 if finished else ["'=1+1"] * 3)
    assert (await caller.get(path, Accept="image/png")).body == as_json.body


async def test_results_are_streamed_and_only_their_head_is_sent_where_only_that_is_asked_for(
    caller: Caller, others: Others
) -> None:
    inference_id = await submitted(caller, 250)
    path = f"/inference/{inference_id}/results"
    await others.classify(inference_id, range(250))
    partial = await caller.get(path)
    assert [item["index"] for item in partial.body] == list(range(250))
    await others.finish(inference_id)
    await wait_for_answer(caller, f"/inference/{inference_id}/status", status="completed")
    for answer in (partial, await caller.get(path)):
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert "Content-Length" not in answer.headers
    head = await caller.call("HEAD", path)
    assert (head.status, head.content) == (200, b"")
    assert (await caller.get(path)).status == 200


@given(
    lines=st.lists(st.binary(max_size=5).map(lambda text: text.replace(b"\n", b"") + b"a"), max_size=6), data=st.data()
)
async def test_an_array_is_made_of_lines_wherever_they_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))

    async def pieces() -> AsyncIterator[bytes]:
        for begin, end in pairwise([0, *cuts, len(text)]):
            yield text[begin:end]

    assert b"".join([piece async for piece in array_of(pieces())]) == b"[" + b",".join(lines) + b"]"


async def test_results_that_have_expired_are_gone_and_said_so(caller: Caller, others: Others) -> None:
    inference_id = await submitted(caller, 1)
    expires_at = datetime.now(UTC) - timedelta(days=2)
    await others.finish(inference_id, expires_at=expires_at)
    gone = await wait_for_answer(caller, f"/inference/{inference_id}/results", code=410)
    message = f"Results of inference {inference_id} expired on {expires_at:%Y-%m-%d}"
    assert gone.body == {"error": "Gone", "message": message, "code": 410}
    assert (await caller.get(f"/inference/{inference_id}/status")).body["status"] == "completed"


async def test_an_owner_sees_the_batches_of_all_its_keys_and_of_nobody_else(
    caller: Caller, issued: dict[str, str], owner: int
) -> None:
    inference_id = await submitted(caller, 1)
    for what in ("status", "results"):
        path = f"/inference/{inference_id}/{what}"
        assert (await caller.using(issued[f"{owner}b"]).get(path)).status == 200
        foreign = await caller.using(issued["0"]).get(path)
        assert foreign.body == {"error": "Not Found", "message": f"Inference {inference_id} was not found", "code": 404}


async def test_who_prefers_to_wait_gets_the_results_with_the_reply(caller: Caller, others: Others) -> None:
    waiting = asyncio.create_task(caller.submit(images(2), Idempotency_Key="wait", Prefer="wait=20, handling=lenient"))
    retry = await caller.submit(images(2), Idempotency_Key="wait")
    inference_id = retry.body["inference_id"]
    await others.finish(inference_id)
    answer = await waiting
    assert answer.headers["Preference-Applied"] == "handling=lenient, wait=20"
    assert answer.body | {"results": None} == retry.body | {"results": None}
    assert answer.body["results"] == (await caller.get(f"/inference/{inference_id}/results")).body
    again = await caller.submit(images(2), Idempotency_Key="wait", Prefer="wait=1")
    assert again.body == answer.body


async def test_who_waited_in_vain_gets_the_plain_reply(caller: Caller) -> None:
    began = time.monotonic()
    answer = await caller.submit(images(1), Prefer="wait=1")
    assert 1.0 <= time.monotonic() - began < MAX_WAIT_SECONDS
    assert set(answer.body) == {"message", "inference_id", "model"}
    assert "Preference-Applied" not in answer.headers
