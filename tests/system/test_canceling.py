"""Canceling on a real Kafka: whoever comes first, the last result or the cancellation, there is one whole report."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from tests.image_host import ImageHost
from tests.stack_fixtures import Stack, csv_rows, items
from tests.waiting import wait_for

pytestmark = pytest.mark.system
BATCHES = 24


def cancel(stack: Stack, inference_id: str) -> int:
    ready = stack.ready()
    url = f"{ready['endpoint']}/inference/{inference_id}"
    request = urllib.request.Request(url, headers={"x-vody-api-key": ready["api_key"]}, method="DELETE")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=40) as reply:  # noqa: S310
            assert json.load(reply)["inference_id"] == inference_id
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_what_was_done_stays_the_rest_is_canceled_and_the_mail_says_so(stack: Stack, slow_host: ImageHost) -> None:
    before = slow_host.requests
    inference_id = stack.submit(items(slow_host.url, 250)).body["inference_id"]
    wait_for(lambda: slow_host.requests >= before + 60 or None, "some of the images")
    assert cancel(stack, inference_id) == 202
    mail = stack.wait_for_mail(inference_id)
    rows = csv_rows(mail)
    assert [int(row["index"]) for row in rows] == list(range(250))
    canceled = [row["error_code"] for row in rows].count("canceled")
    assert 0 < canceled < 250
    assert [row["status"] for row in rows].count("succeeded") == 250 - canceled
    assert mail["Subject"] == f"Color report: 250 images, {canceled} canceled"
    status = stack.wait_for_status(inference_id, status="completed", report={"email_status": "sent"})
    assert status["progress"] == {"total": 250, "succeeded": 250 - canceled, "failed": canceled, "pending": 0}
    results = stack.call(f"/inference/{inference_id}/results").body
    assert [result["error"] and result["error"]["code"] for result in results].count("canceled") == canceled
    assert cancel(stack, inference_id) == 202
    assert len(stack.mails(inference_id)) == 1


def test_whether_the_last_result_or_the_cancellation_comes_first_there_is_one_report(
    stack: Stack, host: ImageHost
) -> None:
    """The pause before the cancellation grows and shrinks towards the moment at which the batch ends by itself."""
    pause, endings = 0.2, []
    for _ in range(BATCHES):
        inference_id = stack.submit(items(host.url, 2)).body["inference_id"]
        threading.Event().wait(pause)
        answer = cancel(stack, inference_id)
        rows = csv_rows(stack.wait_for_mail(inference_id))
        assert [int(row["index"]) for row in rows] == [0, 1]
        codes = {row["error_code"] for row in rows}
        assert codes <= {"", "canceled"}
        assert answer == 202 or (answer == 409 and codes == {""})
        endings.append("canceled" in codes)
        pause *= 1.3 if endings[-1] else 0.7
        stack.wait_for_status(inference_id, report={"email_status": "sent"})
        assert len(stack.mails(inference_id)) == 1
    assert set(endings) == {True, False}
