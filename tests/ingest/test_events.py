"""Server-sent events: a snapshot, what is new, and an end, from any replica."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from schemas.events import ItemError
from schemas.results import ResultItem
from services.ingest.events import _Progress
from services.ingest.inferences import Inferences
from services.runtime.kafka import Record
from tests.ingest.calling import Caller, images
from tests.ingest.others import Others
from tests.ingest.replicas import replica
from tests.ingest.test_results import wait_for_answer
from tests.kafka_fixtures import RunningKafka
from tests.reporter.examples import batch, result

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Event:
    name: str
    id: str
    data: Any

    @property
    def indexes(self) -> list[int]:
        return [item["index"] for item in self.data["results"]]


async def read(reply: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in reply.content:
        if line == b"\n":
            if "event" in fields:
                yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}
            continue
        name, _, value = line.decode().rstrip("\n").partition(": ")
        fields[name] = value


@asynccontextmanager
async def events(caller: Caller, inference_id: str, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    given = {"x-vody-api-key": str(caller.key)} | {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{caller.urls[caller.at]}/inference/{inference_id}/events"
    async with asyncio.timeout(30), caller.session.get(url, headers=given) as reply:
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "text/event-stream"
        assert reply.headers["x-request-id"]
        assert reply.headers["Cache-Control"] == "no-store"
        yield read(reply)


async def submitted(caller: Caller, count: int) -> str:
    return str((await caller.submit(images(count))).body["inference_id"])


async def until_results(found: AsyncIterator[Event], count: int) -> list[Event]:
    """Read events until they hold so many results."""
    taken: list[Event] = []
    async for event in found:
        taken.append(event)
        if sum(len(each.indexes) for each in taken) >= count:
            return taken
    raise AssertionError(f"the stream ended after {taken}")


async def test_a_stream_begins_with_all_there_is_goes_on_with_what_is_new_and_ends(
    caller: Caller, others: Others
) -> None:
    inference_id = await submitted(caller, 6)
    await others.classify(inference_id, [4, 1])
    async with events(caller, inference_id) as found:
        snapshot = await anext(found)
        assert (snapshot.name, snapshot.indexes) == ("snapshot", [1, 4])
        assert snapshot.data["status"]["id"] == inference_id
        assert snapshot.data["results"][0]["error"]["code"] == "fetch_dns"
        await others.classify(inference_id, [1, 0, 5])
        news = await until_results(found, 2)
        assert {event.name for event in news} == {"results"}
        assert sorted(index for event in news for index in event.indexes) == [0, 5]
        await others.tell(inference_id, 5)
        counted = await anext(found)
        assert counted.data["progress"] == {"total": 6, "succeeded": 0, "failed": 5, "pending": 1}
        await others.finish(inference_id)
        rest = [event async for event in found]
        assert [event.name for event in rest][-1] == "done"
        assert [index for event in rest[:-1] for index in event.indexes] == [2, 3]  # given up, and only in the report
        assert (rest[-1].data["status"], rest[-1].id) == ("completed", "done")


def test_what_ended_after_its_batch_was_canceled_is_told_as_it_is_reported() -> None:
    """A classifier that did not know yet may write a result that the reporter counts no more."""
    submitted, known = batch(3), Inferences()
    known.take(submitted)
    inference = known.get(submitted.inference_id)
    assert inference is not None
    progress = _Progress(inference)
    progress.add(Record("t", 0, index, None, result(index).encode()) for index in (0, 1))
    progress.snapshot(None)
    reported = [ResultItem.model_validate(result(0).model_dump()), canceled(1), canceled(2)]
    final = b"[" + b",".join(item.model_dump_json().encode() for item in reported) + b"]"
    assert [item["index"] for item in json.loads(progress.rest(final).partition(b"data: ")[2])["results"]] == [1, 2]


def canceled(index: int) -> ResultItem:
    return ResultItem(index=index, status="failed", error=ItemError(code="canceled", message="canceled"))


async def test_many_results_at_once_come_in_few_events(caller: Caller, others: Others) -> None:
    inference_id = await submitted(caller, 250)
    async with events(caller, inference_id) as found:
        assert (await anext(found)).indexes == []
        began = time.monotonic()
        await others.classify(inference_id, range(250))
        news = await until_results(found, 250)
        assert len(news) <= 2 + (time.monotonic() - began) / 0.25
        assert sorted(index for event in news for index in event.indexes) == list(range(250))


async def test_who_comes_back_to_another_replica_gets_what_it_missed(caller: Caller, others: Others) -> None:
    inference_id = await submitted(caller, 4)
    await others.classify(inference_id, [2])
    async with events(caller, inference_id) as found:
        seen = await anext(found)
    await others.classify(inference_id, [0, 3])
    await wait_for_answer(caller.on(1), f"/inference/{inference_id}/status", status="in_progress")
    async with events(caller.on(1), inference_id, Last_Event_ID=seen.id) as found:
        missed = await until_results(found, 2)
        assert [(event.name, event.indexes) for event in missed] == [("results", [0, 3])]


async def test_a_finished_batch_is_a_snapshot_of_all_and_the_end(caller: Caller, others: Others) -> None:
    inference_id = await submitted(caller, 3)
    await others.finish(inference_id)
    await wait_for_answer(caller.on(2), f"/inference/{inference_id}/status", status="completed")
    async with events(caller.on(2), inference_id, Last_Event_ID="nonsense") as found:
        async with asyncio.timeout(30):
            all_of_it = [event async for event in found]
    assert all_of_it[-1].name == "done"
    assert sorted(index for event in all_of_it[:-1] for index in event.indexes) == [0, 1, 2]
    after = await caller.get(f"/inference/{inference_id}/events", Last_Event_ID="done")
    assert (after.status, after.content) == (204, b"")


async def test_streams_are_for_the_owner_and_for_what_is_kept(
    caller: Caller, others: Others, issued: dict[str, str]
) -> None:
    inference_id = await submitted(caller, 1)
    foreign = await caller.using(issued["0"]).get(f"/inference/{inference_id}/events")
    assert foreign.status == 404
    await others.finish(inference_id, expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    async with asyncio.timeout(30):
        while (await caller.get(f"/inference/{inference_id}/results")).status != 410:
            pass
    assert (await caller.get(f"/inference/{inference_id}/events")).status == 410


async def test_streams_end_with_their_replica_and_leave_room_when_they_end(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path
) -> None:
    with replica(kafka.bootstrap, report_store, max_event_streams=2) as alone:
        async with aiohttp.ClientSession() as session:
            caller = Caller(session, [alone.url], issued[str(owner)])
            inference_id = await submitted(caller, 1)
            async with events(caller, inference_id) as first:
                await anext(first)
                async with events(caller, inference_id) as second:
                    await anext(second)
                    full = await caller.get(f"/inference/{inference_id}/events")
                    assert (full.status, full.headers["Retry-After"]) == (503, "5")
                os.kill(alone.process.pid, signal.SIGTERM)
                assert [event async for event in first] == []
        assert await asyncio.to_thread(alone.process.wait, 15) == 0


async def test_a_stream_without_news_shows_signs_of_life(
    kafka: RunningKafka, issued: dict[str, str], owner: int, report_store: Path
) -> None:
    with replica(kafka.bootstrap, report_store, heartbeat_seconds=0.2) as alone:
        async with aiohttp.ClientSession() as session:
            caller = Caller(session, [alone.url], issued[str(owner)])
            url = f"{alone.url}/inference/{await submitted(caller, 1)}/events"
            async with asyncio.timeout(30), session.get(url, headers={"x-vody-api-key": str(caller.key)}) as reply:
                lines = [await reply.content.readline() for _ in range(8)]
    assert lines[4:] == [b": heartbeat\n", b"\n"] * 2
