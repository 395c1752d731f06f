"""The main job while something is killed or stopped; of any running system, an open one or a locked one."""

import os
import signal
import time
import uuid

from tests.image_host import ImageHost
from tests.stack_fixtures import Stack, csv_rows, items
from tests.waiting import wait_for


def assert_one_whole_report(stack: Stack, inference_id: str, size: int) -> None:
    rows = csv_rows(stack.wait_for_mail(inference_id))
    assert [int(row["index"]) for row in rows] == list(range(size))
    assert {row["status"] for row in rows} == {"succeeded"}
    stack.wait_for_status(inference_id, status="completed", response_item_count=size)
    assert len(stack.mails(inference_id)) == 1


def kill_halfway(stack: Stack, slow_host: ImageHost, *services: str) -> None:
    """Submit a whole batch, kill a process of each service in the midst of it, and see one whole report."""
    victims = [stack.pids(service)[0] for service in services]
    running = {service: len(stack.pids(service)) for service in services}
    before = slow_host.requests
    inference_id = stack.submit(items(slow_host.url, 250)).body["inference_id"]
    wait_for(lambda: slow_host.requests >= before + 100 or None, "half of the images")
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    assert_one_whole_report(stack, inference_id, 250)

    def all_run_again() -> bool:
        pids = {service: stack.pids(service) for service in services}
        return all(len(found) == running[service] and not set(victims) & set(found) for service, found in pids.items())

    wait_for(all_run_again, "new processes")


def stop_kafka(stack: Stack, host: ImageHost) -> None:
    """A Kafka that stands still is a 503 in time, and a retry ends in one mail."""
    [broker] = stack.pids("kafka")
    idempotency_key = str(uuid.uuid4())
    os.kill(broker, signal.SIGSTOP)
    try:
        began = time.monotonic()
        refused = stack.submit(items(host.url, 20), Idempotency_Key=idempotency_key)
        assert time.monotonic() - began < 25  # 15 by the endpoint's own clock; the rest is the machine's
    finally:
        os.kill(broker, signal.SIGCONT)
    assert refused.status == 503
    assert refused.body["message"] == "The inference queue is unavailable; retry after 5 seconds"
    assert refused.headers["Retry-After"] == "5"

    def retry() -> str | None:
        answer = stack.submit(items(host.url, 20), Idempotency_Key=idempotency_key)
        return answer.body["inference_id"] if answer.status == 200 else None

    inference_id = wait_for(retry, "accepted retry", 60)
    assert_one_whole_report(stack, inference_id, 20)
    assert stack.submit(items(host.url, 20), Idempotency_Key=idempotency_key).body["inference_id"] == inference_id
    other_body = stack.submit(items(host.url, 19), Idempotency_Key=idempotency_key)
    assert other_body.status == 422
