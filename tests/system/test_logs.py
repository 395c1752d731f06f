"""What the services write: one line for each unit of work, with its ids, and nothing secret."""

import json
from collections import Counter
from email.utils import parseaddr
from typing import Any

import pytest

from tests.image_host import ImageHost
from tests.stack_fixtures import Stack, items
from tests.waiting import wait_for

pytestmark = pytest.mark.system

SIGNATURE = "s3cr3t-of-a-signed-url"
SERVICES = ("ingest", "classifier", "reporter")


def written(stack: Stack) -> str:
    return "".join((stack.data / "logs" / f"{service}.log").read_text() for service in SERVICES)


def lines_about(stack: Stack, inference_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(stack).splitlines() if inference_id in line]


def test_each_unit_of_work_is_one_line_with_its_ids_and_nothing_secret(stack: Stack, host: ImageHost) -> None:
    batch = items(host.url, 4)
    for item, name in zip(batch, ("0.jpg", "missing.jpg", "text.jpg", "3.jpg"), strict=True):
        item["image_path"] = f"{host.url}/{name}?signature={SIGNATURE}"
    batch[3]["image_path"] = f"http://no-such-host.invalid/3.jpg?signature={SIGNATURE}"
    refused = [{**batch[0], "hex_color_label": SIGNATURE}]
    assert stack.submit(refused).status == 400
    assert stack.call(f"/inferences?token={SIGNATURE}").status == 200
    answer = stack.submit(batch, webhook_url=f"http://127.0.0.1:1/hook?secret={SIGNATURE}")
    inference_id = answer.body["inference_id"]
    mail = stack.wait_for_mail(inference_id)

    def events() -> Counter[str] | None:
        found = Counter(line["event"] for line in lines_about(stack, inference_id) if line["event"] != "webhook")
        return found if found["mail"] else None

    assert wait_for(events, "line of the mail", 10) == {
        "request": 1,
        "image_classified": 4,
        "batch_closed": 1,
        "mail": 1,
    }
    lines = [line for line in lines_about(stack, inference_id) if line["event"] == "image_classified"]
    assert sorted(line["index"] for line in lines) == [0, 1, 2, 3]
    assert {line["outcome"] for line in lines} == {
        "succeeded",
        "fetch_http_status",
        "image_unsupported_format",
        "fetch_dns",
    }
    for line in map(json.loads, written(stack).splitlines()):
        assert {"timestamp", "level", "service", "event"} <= line.keys()
    text = written(stack)
    assert SIGNATURE not in text
    assert stack.ready()["api_key"].rpartition(".")[2][-20:] not in text
    assert parseaddr(mail["To"])[1] not in text
