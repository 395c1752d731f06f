"""The main job on a real Kafka: whatever is killed, one mail with all lines."""

import pytest

from tests.image_host import ImageHost
from tests.stack_fixtures import Stack, csv_rows, items
from tests.system.main_job import assert_one_whole_report, kill_halfway, stop_kafka
from tests.waiting import wait_for

pytestmark = pytest.mark.system


def test_250_images_end_in_one_mail_with_250_lines(stack: Stack, host: ImageHost) -> None:
    answer = stack.submit(items(host.url, 250))
    assert answer.status == 200
    assert set(answer.body) == {"message", "inference_id", "model"}
    inference_id = answer.body["inference_id"]
    assert stack.call(f"/inference/{inference_id}/status").status == 200  # known at once
    assert_one_whole_report(stack, inference_id, 250)
    results = stack.call(f"/inference/{inference_id}/results").body
    assert [result["index"] for result in results] == list(range(250))
    assert results[7]["image_path"] == f"{host.url}/7.jpg"
    assert results[7]["classification"]["primary"]["family"] == "red"


def test_what_fails_is_a_line_with_its_reason(stack: Stack, host: ImageHost) -> None:
    batch = items(host.url, 3)
    batch[1]["image_path"] = f"{host.url}/missing.jpg"
    batch[2]["image_path"] = f"{host.url}/text.jpg"
    inference_id = stack.submit(batch).body["inference_id"]
    rows = csv_rows(stack.wait_for_mail(inference_id))
    assert [row["error_code"] for row in rows] == ["", "fetch_http_status", "image_unsupported_format"]


@pytest.mark.parametrize("service", ["classifier", "reporter"])
def test_a_service_killed_halfway_loses_nothing_and_mails_once(
    stack: Stack, slow_host: ImageHost, service: str
) -> None:
    kill_halfway(stack, slow_host, service)


def test_partial_results_are_true_while_a_batch_runs(stack: Stack, slow_host: ImageHost) -> None:
    inference_id = stack.submit(items(slow_host.url, 150)).body["inference_id"]
    stack.wait_for_status(inference_id, status="in_progress")
    partial = wait_for(lambda: stack.call(f"/inference/{inference_id}/results").body or None, "partial results")
    assert all(result["status"] == "succeeded" for result in partial)
    assert_one_whole_report(stack, inference_id, 150)


def test_a_stopped_kafka_is_a_503_in_time_and_the_retry_ends_in_one_mail(stack: Stack, host: ImageHost) -> None:
    stop_kafka(stack, host)
