"""Accepted means durable, one id is one body, and a Kafka that is away is a 503 in time: on three replicas."""

import asyncio
import os
import signal
import time
import uuid
from pathlib import Path
from uuid import uuid5

import aiohttp
import pytest

from services.ingest.batches import idempotent_id
from tests.ingest.calling import Answer, Caller, eventually, images
from tests.ingest.others import Others
from tests.ingest.replicas import replica
from tests.kafka_fixtures import RunningKafka

pytestmark = pytest.mark.system


async def test_what_was_accepted_is_in_the_log_images_and_batch_record(caller: Caller, others: Others) -> None:
    inference_id = (await caller.submit(images(3, custom_id="ü "))).body["inference_id"]
    [batch] = await others.batch_records(inference_id)
    assert (batch.size, batch.key_id) == (3, str(caller.key).split("_")[1])
    for index in range(3):
        [image] = await others.image(inference_id, index)
        assert (image.fingerprint, image.index, image.custom_id) == (batch.fingerprint, index, "ü ")
        assert image.image_path == f"https://shop.example/{index}.png"
        assert image.deadline_at == batch.deadline_at


async def test_a_refused_request_leaves_nothing_behind(caller: Caller, others: Others) -> None:
    refused = await caller.submit([*images(2), {}], Idempotency_Key="refused")
    assert refused.status == 400
    inference_id = idempotent_id(str(caller.key).split("_")[1], "refused")
    assert await others.batch_records(inference_id) == []
    assert await others.image(inference_id, 0) == []


async def test_every_replica_gives_the_same_answer_to_the_same_key_and_body(caller: Caller, others: Others) -> None:
    idempotency_key = "ä order"[1:]
    first = await caller.submit(images(5), Idempotency_Key=idempotency_key)
    again = [await caller.on(number).submit(images(5), Idempotency_Key=idempotency_key) for number in range(3)]
    assert {answer.content for answer in again} == {first.content}
    inference_id = first.body["inference_id"]
    assert {batch.fingerprint for batch in await others.batch_records(inference_id)} == {
        (await others.batch_records(inference_id))[0].fingerprint
    }
    other_body = await caller.on(1).submit(images(4), Idempotency_Key=idempotency_key)
    assert other_body.body == {
        "error": "Unprocessable Content",
        "message": "The Idempotency-Key was already used with another request body",
        "code": 422,
    }


async def test_of_two_bodies_at_once_under_one_key_one_is_accepted_whichever_replicas_take_them(
    caller: Caller, others: Others
) -> None:
    for attempt in range(5):
        name = f"race-{attempt}"
        answers = await asyncio.gather(
            *(
                caller.on(number).submit(images(1 + number % 2), Idempotency_Key=name)
                for number in range(3)
                for _ in range(2)
            )
        )
        statuses = [answer.status for answer in answers]
        accepted = [answer for answer in answers if answer.status == 200]
        assert set(statuses) == {200, 422}, statuses
        assert len({answer.content for answer in accepted}) == 1
        records = await others.batch_records(accepted[0].body["inference_id"])
        winners = {number % 2 for number, status in zip((0, 0, 1, 1, 2, 2), statuses, strict=True) if status == 200}
        assert winners == {records[0].size - 1}


async def test_the_same_body_sent_many_times_at_once_to_one_replica_is_published_once(
    caller: Caller, others: Others
) -> None:
    answers = await asyncio.gather(*(caller.submit(images(2), Idempotency_Key="burst") for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    [inference_id] = {answer.body["inference_id"] for answer in answers}
    assert len(await others.batch_records(inference_id)) == 1
    assert len(await others.image(inference_id, 1)) == 1


async def test_without_an_idempotency_key_the_same_body_is_another_batch(caller: Caller) -> None:
    answers = [await caller.submit(images(1)) for _ in range(2)]
    assert len({answer.body["inference_id"] for answer in answers}) == 2


async def test_the_id_is_derived_so_that_a_client_can_know_it(caller: Caller) -> None:
    answer = await caller.submit(images(1), Idempotency_Key="known")
    key_id = str(caller.key).split("_")[1]
    namespace = uuid.UUID("6d0f2f0e-5d0b-5f43-9a7e-0d8a3f6f7c11")
    assert answer.body["inference_id"] == str(uuid5(namespace, f"{key_id}/known"))


async def test_a_kafka_that_is_away_is_a_503_in_time_then_sooner_and_the_retry_is_the_same_batch(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path, others: Others
) -> None:
    broker = kafka.process
    with replica(kafka.bootstrap, report_store, publish_timeout_seconds=5) as alone:
        async with aiohttp.ClientSession() as session:
            caller = Caller(session, [alone.url], issued[str(owner)])
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                first, first_seconds = await _timed(caller)
                second, second_seconds = await _timed(caller)
                readiness = await caller.using(None).call("GET", "", Host="h")
                async with session.get(f"{alone.monitoring_url}/readyz") as ready:
                    assert (ready.status, await ready.text()) == (503, "Kafka did not acknowledge the last batch\n")
                async with session.get(f"{alone.monitoring_url}/healthz") as healthy:
                    assert healthy.status == 200
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            assert readiness.status == 404
            for refused in (first, second):
                assert refused.body == {
                    "error": "Service Unavailable",
                    "message": "The inference queue is unavailable; retry after 5 seconds",
                    "code": 503,
                }
                assert refused.headers["Retry-After"] == "5"
            assert second_seconds < first_seconds
            assert first_seconds > 4.5

            async def accepted() -> bool:
                return (await caller.submit(images(2), Idempotency_Key="away")).status == 200

            await eventually(accepted)
            inference_id = (await caller.submit(images(2), Idempotency_Key="away")).body["inference_id"]
            records = await others.batch_records(inference_id)
            assert len({record.fingerprint for record in records}) == 1
            assert (await caller.submit(images(3), Idempotency_Key="away")).status == 422

            async def is_ready() -> bool:
                async with session.get(f"{alone.monitoring_url}/readyz") as ready:
                    return ready.status == 200

            await eventually(is_ready)  # a retry that found its batch in the log has published nothing


async def _timed(caller: Caller) -> tuple[Answer, float]:
    began = time.monotonic()
    answer = await caller.submit(images(2), Idempotency_Key="away")
    return answer, time.monotonic() - began


async def test_a_request_in_flight_at_a_stop_is_answered(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path
) -> None:
    with replica(kafka.bootstrap, report_store) as alone:
        async with aiohttp.ClientSession() as session:
            caller = Caller(session, [alone.url], issued[str(owner)])
            broker = kafka.process
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                waiting = asyncio.create_task(caller.submit(images(250)))
                await eventually(lambda: _is_in_flight(caller))
                alone.process.send_signal(signal.SIGTERM)
                await eventually(lambda: _is_refused(caller))
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            answer = await waiting
            assert answer.status == 200, alone.output.read_text()
        assert await asyncio.to_thread(alone.process.wait, 15) == 0


async def _is_in_flight(caller: Caller) -> bool:
    """Say whether 250 images were spent, of which one comes back every 20 ms."""
    return '"images";r=3000;' not in (await caller.submit(b"{")).headers["RateLimit"]


async def _is_refused(caller: Caller) -> bool:
    try:
        async with aiohttp.ClientSession() as session:
            await Caller(session, caller.urls, None).get("/")
    except aiohttp.ClientConnectionError:
        return True
    return False


async def test_an_ingest_killed_while_it_publishes_has_accepted_nothing_and_the_retry_is_one_batch(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path, caller: Caller, others: Others
) -> None:
    broker = kafka.process
    with replica(kafka.bootstrap, report_store) as victim:
        async with aiohttp.ClientSession() as session:
            doomed = Caller(session, [victim.url], issued[str(owner)])
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                waiting = asyncio.create_task(doomed.submit(images(250), Idempotency_Key="killed"))
                await eventually(lambda: _is_in_flight(doomed))
                victim.process.kill()
                with pytest.raises(aiohttp.ClientConnectionError):
                    await waiting
            finally:
                os.kill(broker.pid, signal.SIGCONT)
    answer = await caller.submit(images(250), Idempotency_Key="killed")
    assert answer.status == 200
    assert {record.size for record in await others.batch_records(answer.body["inference_id"])} == {250}


async def test_a_replica_that_starts_later_knows_what_was_accepted_before(
    kafka: RunningKafka, report_store: Path, caller: Caller, others: Others
) -> None:
    first = await caller.submit(images(2), Idempotency_Key="before")
    with replica(kafka.bootstrap, report_store) as later:
        late = Caller(caller.session, [later.url], caller.key)
        again = await late.submit(images(2), Idempotency_Key="before")
        assert again.content == first.content
        assert (await late.submit(images(1), Idempotency_Key="before")).status == 422
        assert (await late.get(f"/inference/{first.body['inference_id']}/status")).status == 200
    assert len(await others.batch_records(first.body["inference_id"])) == 1


async def test_a_kafka_that_stalls_as_at_a_broker_s_death_delays_all_requests_and_refuses_none(
    kafka: RunningKafka, caller: Caller
) -> None:
    broker = kafka.process
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        waiting = [asyncio.create_task(caller.submit(images(24))) for _ in range(5)]
        done, _ = await asyncio.wait(waiting, timeout=7.5)
        assert done == set()
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert [(await each).status for each in waiting] == [200] * 5
