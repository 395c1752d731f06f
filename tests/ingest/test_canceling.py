"""A batch is canceled at any replica, once, and the answer stays the same."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from schemas.events import CancellationRequested
from schemas.topics import CANCELLATIONS_REQUESTED
from services.runtime.scanning import records_of
from tests.ingest.calling import Answer, Caller, eventually, images
from tests.ingest.others import Others
from tests.ingest.test_results import submitted, wait_for_answer
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system


async def cancel(caller: Caller, inference_id: str) -> Answer:
    return await caller.call("DELETE", f"/inference/{inference_id}")


async def requested(kafka: RunningKafka, inference_id: str) -> list[CancellationRequested]:
    since = datetime.now(UTC) - timedelta(minutes=5)
    records = await records_of(kafka.bootstrap, CANCELLATIONS_REQUESTED, inference_id, since, 20)
    return [CancellationRequested.decode(record.value) for record in records]


async def test_a_cancellation_is_durable_when_it_is_answered_and_the_answer_is_the_same_at_all_replicas(
    caller: Caller, others: Others, kafka: RunningKafka
) -> None:
    inference_id = await submitted(caller, 3)
    first = await cancel(caller, inference_id)
    assert (first.status, first.headers["Content-Type"]) == (202, "application/json")
    assert first.body == {
        "message": "Images of the inference that are not done yet are reported as canceled",
        "inference_id": inference_id,
        "model": "color-classification",
    }
    [batch] = await others.batch_records(inference_id)
    [event] = await requested(kafka, inference_id)
    assert event.batch().model_copy(update={"deadline_at": batch.deadline_at}) == batch

    for number in range(3):
        await wait_for_answer(caller.on(number), f"/inference/{inference_id}/status", status="in_progress")

        async def same(at: int = number) -> bool:
            again = await cancel(caller.on(at), inference_id)
            assert (again.status, again.content) == (202, first.content)
            return True

        await eventually(same)
    await others.finish(inference_id, reason="canceled")
    for number in range(3):
        await wait_for_answer(caller.on(number), f"/inference/{inference_id}/status", status="completed")
        assert (await cancel(caller.on(number), inference_id)).content == first.content


async def test_of_a_batch_that_ended_while_it_was_canceled_the_answer_stays_the_same(
    caller: Caller, others: Others
) -> None:
    inference_id = await submitted(caller, 1)
    await wait_for_answer(caller.on(1), f"/inference/{inference_id}/status", status="in_progress")
    first = await cancel(caller, inference_id)
    await others.finish(inference_id)
    for number in range(3):
        await wait_for_answer(caller.on(number), f"/inference/{inference_id}/status", status="completed")
        assert (await cancel(caller.on(number), inference_id)).content == first.content


async def test_a_batch_that_has_ended_can_no_longer_be_canceled(
    caller: Caller, others: Others, kafka: RunningKafka
) -> None:
    inference_id = await submitted(caller, 1)
    await others.finish(inference_id)
    for number in range(3):
        await wait_for_answer(caller.on(number), f"/inference/{inference_id}/status", status="completed")
        refused = await cancel(caller.on(number), inference_id)
        message = f"Inference {inference_id} has ended and can no longer be canceled"
        assert refused.body == {"error": "Conflict", "message": message, "code": 409}
    assert await requested(kafka, inference_id) == []


async def test_who_may_not_submit_may_not_cancel_and_others_find_nothing(
    caller: Caller, issued: dict[str, str], owner: int
) -> None:
    inference_id = await submitted(caller, 1)
    assert (await cancel(caller.using(issued["0"]), inference_id)).status == 404
    refused = await cancel(caller.using(issued["reader"]), inference_id)
    assert (refused.status, refused.body["message"]) == (403, "API key is not allowed to cancel batches")
    assert (await cancel(caller.using(None), inference_id)).status == 401
    assert (await cancel(caller, "x")).status == 404
    assert (await caller.get(f"/inference/{inference_id}")).headers["Allow"] == "DELETE"
    assert (await cancel(caller.using(issued[f"{owner}b"]), inference_id)).status == 202


async def test_many_cancellations_at_once_are_all_answered_alike(caller: Caller) -> None:
    inference_id = (await caller.submit(images(2))).body["inference_id"]
    for number in range(3):
        await wait_for_answer(caller.on(number), f"/inference/{inference_id}/status", status="in_progress")
    answers = await asyncio.gather(*(cancel(caller.on(number), inference_id) for number in range(9)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
