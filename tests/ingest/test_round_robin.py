"""A client that knows one address, behind which three replicas take turns, sees one endpoint."""

import time
from functools import partial
from itertools import count

import pytest

from tests.ingest.calling import Answer, Caller, eventually, images
from tests.ingest.others import Others
from tests.ingest.test_events import Event, events

pytestmark = pytest.mark.system
REPLICAS = 3


class RoundRobin:
    """Asks the next replica each time."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._turns = count()

    @property
    def next(self) -> Caller:
        return self._caller.on(next(self._turns) % REPLICAS)

    async def agreed(self, path: str, **headers: str) -> Answer:
        """Ask until all replicas say the same: what one has read of the log, the others have read a moment later."""
        answers: list[Answer] = []

        async def the_same() -> bool:
            answers[:] = [await self.next.get(path, **headers) for _ in range(REPLICAS)]
            return len({(answer.status, answer.content) for answer in answers}) == 1

        await eventually(the_same)
        return answers[0]

    async def snapshots(self, inference_id: str) -> list[Event]:
        found = []
        for _ in range(REPLICAS):
            async with events(self.next, inference_id) as stream:
                found.append(await anext(stream))
        return found


@pytest.fixture
def turns(caller: Caller) -> RoundRobin:
    return RoundRobin(caller)


def images_left(answer: Answer) -> int:
    return int(answer.headers["RateLimit"].partition('"images";r=')[2].partition(";")[0])


async def test_one_key_and_one_body_are_one_batch_and_one_bill(turns: RoundRobin, others: Others) -> None:
    began = time.monotonic()
    answers = [await turns.next.submit(images(250), Idempotency_Key="turns") for _ in range(7)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    inference_id = answers[0].body["inference_id"]
    assert (await turns.agreed(f"/inference/{inference_id}/status")).status == 200
    for _ in range(REPLICAS):
        seen = images_left(await turns.next.submit(b"{"))
        assert 2750 <= seen <= 2750 + 50 * (time.monotonic() - began) + 1  # one comes back every 20 ms
    # Written once by each replica that had not read the first yet; the first one counts.
    records = await others.batch_records(inference_id)
    assert 1 <= len(records) <= REPLICAS
    assert len({record.fingerprint for record in records}) == 1
    assert (await turns.next.submit(images(99), Idempotency_Key="turns")).status == 422


async def test_status_results_and_events_agree_while_a_batch_runs_and_when_it_has_ended(
    turns: RoundRobin, others: Others
) -> None:
    inference_id = (await turns.next.submit(images(5))).body["inference_id"]
    path = f"/inference/{inference_id}"
    await others.classify(inference_id, [3, 0])
    await others.tell(inference_id, 2)

    async def all_know(done: int) -> bool:
        status = await turns.agreed(f"{path}/status")
        return bool(status.status == 200 and status.body["response_item_count"] == done)

    await eventually(partial(all_know, 2))
    partial_results = await turns.agreed(f"{path}/results")
    assert [item["index"] for item in partial_results.body] == [0, 3]
    assert [event.indexes for event in await turns.snapshots(inference_id)] == [[0, 3]] * REPLICAS
    await others.finish(inference_id)
    await eventually(partial(all_know, 5))
    for accept in ("application/json", "application/x-ndjson", "text/csv"):
        assert (await turns.agreed(f"{path}/results", Accept=accept)).status == 200
    ended = await turns.snapshots(inference_id)
    assert [event.indexes for event in ended] == [[0, 1, 2, 3, 4]] * REPLICAS
    assert {event.data["status"]["status"] for event in ended} == {"completed"}
    listed = await turns.agreed("/inferences?limit=1")
    assert [each["id"] for each in listed.body["inferences"]] == [inference_id]
    other = turns.next.using(None)
    assert (await other.get(f"{path}/status")).status == 401
