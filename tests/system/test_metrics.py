"""What a running system says of itself, as Prometheus would read it."""

import os
import shutil
import signal
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from services.ingest.metrics import WATCHED, WATCHED_WHERE_GATHERED
from tests.image_host import ImageHost
from tests.stack_fixtures import Stack, items
from tests.system.scraping import scraped, value
from tests.waiting import wait_for

pytestmark = pytest.mark.system

SERVICES = ("ingest", "classifier", "reporter")
PROMTOOL = shutil.which("promtool")


@pytest.fixture(scope="module")
def worked(stack: Stack, host: ImageHost) -> Stack:
    """A system that has reported a batch."""
    batch = items(host.url, 20)
    batch[3]["image_path"] = f"{host.url}/missing.jpg"
    batch[4]["image_path"] = "http://10.0.0.1/private.jpg"
    stack.wait_for_mail(stack.submit(batch).body["inference_id"])
    return stack


@pytest.mark.parametrize("service", SERVICES)
def test_promtool_has_nothing_to_say(worked: Stack, service: str) -> None:
    if PROMTOOL is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    text = scraped(worked, service)
    found = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_each_step_of_a_batch_is_counted_and_timed(worked: Stack) -> None:
    assert value(worked, "ingest", "huestream_ingest_requests_total", route="submit", status="200")
    for service, stages in {
        "ingest": {"accepted"},
        "classifier": {"taken", "classified"},
        "reporter": {"collected", "ended", "mailed"},
    }.items():
        for stage in stages:
            assert value(worked, service, "huestream_stage_seconds_count", stage=stage), stage
    assert value(worked, "classifier", "huestream_classifier_images_total", outcome="fetch_http_status")
    assert value(worked, "classifier", "huestream_classifier_refused_addresses_total")
    assert value(worked, "classifier", "huestream_classifier_fetched_bytes_total")
    assert value(worked, "classifier", "huestream_classifier_labels_total", verdict="agree")
    assert value(worked, "reporter", "huestream_reporter_images_total", outcome="failed")
    assert value(worked, "reporter", "huestream_reporter_mails_total", outcome="sent")


@pytest.mark.parametrize(
    ("service", "group", "topic"),
    [
        ("classifier", "huestream-classifier", "images.submitted.v1"),
        ("reporter", "huestream-reporter", "images.classified.v1"),
    ],
)
def test_lag_is_measured_and_comes_down_to_nothing(worked: Stack, service: str, group: str, topic: str) -> None:
    def is_idle() -> bool | None:
        records = value(worked, service, "huestream_consumer_lag_records", topic=topic)
        seconds = value(worked, service, "huestream_consumer_lag_seconds", topic=topic)
        return (records, seconds) == (0.0, 0.0) or None

    wait_for(is_idle, "no lag", 30)
    assert value(worked, service, "huestream_consumer_assigned_partitions", group=group)
    assert value(worked, service, "huestream_consumer_records_total", topic=topic)
    assert value(worked, service, "huestream_consumer_last_poll_timestamp_seconds", group=group)
    wait_for(lambda: value(worked, service, "huestream_consumer_last_commit_success_timestamp_seconds"), "commit", 10)


def test_every_group_for_which_customers_wait_is_seen_from_outside(worked: Stack) -> None:
    for group, topics in (WATCHED | WATCHED_WHERE_GATHERED).items():
        wait_for(lambda group=group: value(worked, "ingest", "huestream_group_members", group=group), group, 30)
        for topic in topics:
            told = {"group": group, "topic": topic.name}
            assert value(worked, "ingest", "huestream_group_lag_records", **told) is not None, told


@pytest.mark.parametrize("service", SERVICES)
def test_a_scraper_that_wants_openmetrics_gets_it(worked: Stack, service: str) -> None:
    text = scraped(worked, service, "application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
    assert text.endswith("# EOF\n")
    names = {family.name for family in openmetrics(text)}
    assert {"huestream_build", "huestream_probe_success", "process_open_fds"} <= names


def series(stack: Stack, service: str) -> set[str]:
    return {
        f"{sample.name}{sorted(sample.labels.items())}"
        for family in plain_text(scraped(stack, service))
        for sample in family.samples
    }


def refused(stack: Stack) -> float:
    return value(stack, "ingest", "huestream_ingest_requests_total", route="none", status="404") or 0.0


def test_what_strangers_write_makes_no_series(worked: Stack, host: ImageHost) -> None:
    """Not hosts, not texts, not paths, not keys, not headers."""
    last = {"group": "huestream-gathering"}
    wait_for(lambda: value(worked, "ingest", "huestream_group_members", **last), "first look at the groups", 30)
    others = refused(worked)
    worked.call("/nowhere")
    wait_for(lambda: refused(worked) > others, "count of the first", 10)  # what is scraped may be a second old
    before = {service: series(worked, service) for service in SERVICES}
    batch = items(host.url, 50)
    for number, item in enumerate(batch):
        item |= {"product_type": f"Product {number}", "category": f'Category "{number}"', "custom_id": f"id-{number}"}
        item["image_path"] = f"http://127.0.1.{number + 1}:9/{number}.jpg"  # where nobody listens
    inference_id = worked.submit(batch, idempotency_key="a key", user_agent="a stranger").body["inference_id"]
    for number in range(20):
        worked.call(f"/nowhere/{number}", x_vody_api_key=f"key-{number}")
    worked.wait_for_mail(inference_id)
    wait_for(lambda: refused(worked) > others + 20, "count of all", 10)
    after = {service: series(worked, service) for service in SERVICES}
    assert {service: after[service] - before[service] for service in SERVICES} == {
        service: set() for service in SERVICES
    }


def test_lag_is_known_while_nobody_works(worked: Stack, host: ImageHost) -> None:
    """Of a group without members only somebody else can say how far behind it is."""
    told = {"group": "huestream-classifier", "topic": "images.submitted.v1"}
    [classifier] = worked.pids("classifier")
    wait_for(lambda: value(worked, "ingest", "huestream_group_members", group=told["group"]) or None, "member", 30)
    wait_for(
        lambda: value(worked, "ingest", "huestream_group_lag_records", **told) == 0, "commit of what came before", 30
    )
    os.kill(classifier, signal.SIGSTOP)  # it is not restarted, and leaves the group
    try:
        inference_id = worked.submit(items(host.url, 30)).body["inference_id"]

        def is_seen() -> bool:
            members = value(worked, "ingest", "huestream_group_members", group=told["group"])
            records = value(worked, "ingest", "huestream_group_lag_records", **told)
            seconds = value(worked, "ingest", "huestream_group_lag_seconds", **told)
            return (members, records) == (0.0, 30.0) and 5 < (seconds or 0) < 240

        wait_for(is_seen, "lag without members", 120, pause_seconds=1)
    finally:
        os.kill(classifier, signal.SIGCONT)
    worked.wait_for_mail(inference_id)
    wait_for(lambda: value(worked, "ingest", "huestream_group_lag_records", **told) == 0, "no lag", 60, 1)
