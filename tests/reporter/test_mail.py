"""The mail: the same bytes for the same report, exactly our headers, and the text of customers stays text."""

import csv
import io
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ItemError
from schemas.fields import ItemErrorCode
from schemas.results import Report, ResultItem
from schemas.results_csv import COLUMNS
from services.reporter.mail import HEADERS, mail_of
from services.reporter.mail_html import html_of
from services.reporter.mail_text import subject_of, text_of
from services.reporter.reports import csv_of, ndjson_of
from services.reporter.summary import ADVICE
from tests.reporter.examples import INFERENCE_ID, NOW, classification, result

HOSTILE = [
    "=?utf-8?q?a=0d=0aBcc:_e=40x.y?=",
    "<script>alert(1)</script>",
    '"><img src=https://evil.example/x.png onerror=alert(1)>',
    "javascript:alert(1)",
    "=HYPERLINK(1)",
    "+1-1",
    "@SUM(A1)",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "W" * 256,
    "a\r\nBcc: e@x.y",
    "</style><style>*{display:none}",
    "{{7*7}} ${7*7}",
]


def report(*changed: dict[str, Any], size: int = 6) -> Report:
    items = [ResultItem.model_validate(result(index).model_dump()) for index in range(size)]
    for index, change in enumerate(changed):
        items[index] = items[index].model_copy(update=change)
    return Report(
        inference_id=INFERENCE_ID,
        key_id="key1",
        reason="complete",
        submitted_at=NOW,
        finished_at=NOW,
        items=tuple(items),
    )


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=default)


def test_the_same_report_gives_the_same_bytes() -> None:
    assert mail_of(report(), "from@x.example", "to@x.example") == mail_of(report(), "from@x.example", "to@x.example")


def test_the_message_id_and_the_date_come_from_the_batch() -> None:
    message = parsed(mail_of(report(), "from@x.example", "to@x.example"))
    assert message["Message-ID"] == f"<report.{INFERENCE_ID}@x.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW
    assert message["Subject"] == "Color report: 6 images, 2 failed"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_in_every_form(text: str) -> None:
    change = dict.fromkeys(("image_path", "product_type", "category", "custom_id"), text)
    plain, hostile = report(), report(change)
    message = parsed(mail_of(hostile, "from@x.example", "to@x.example"))
    assert sorted(message.keys()) == sorted(HEADERS)
    assert message.keys() == parsed(mail_of(plain, "from@x.example", "to@x.example")).keys()
    html = html_of(hostile)
    for forbidden in ("<script", "<img", "src=", "href=", "url("):
        assert forbidden not in html.replace("&lt;script", "").replace("&lt;img src=", "")
    assert html.count("<") == html_of(report({"custom_id": "plain"})).count("<")
    rows = list(csv.reader(io.StringIO(csv_of(hostile).decode("utf-8-sig"))))
    assert len(rows) == 7
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in rows[1])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=256))
def test_whatever_a_customer_writes_the_mail_is_valid_and_has_our_headers(text: str) -> None:
    text = text.encode(errors="replace").decode()
    content = mail_of(report({"custom_id": text, "product_type": text}), "from@x.example", "to@x.example")
    message = parsed(content)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/csv",
    ]
    assert not message.defects
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_the_html_of_250_images_is_not_clipped_by_mail_clients() -> None:
    long = {"custom_id": "W" * 64, "product_type": "W" * 256}
    disagree = {
        "classification": classification().model_copy(
            update={"label": classification().label.model_copy(update={"verdict": "disagree"})}  # type: ignore[union-attr]
        ),
        "status": "succeeded",
        "error": None,
    }
    assert len(html_of(report(*[long] * 250, size=250)).encode()) < 100_000
    assert len(html_of(report(*[long | disagree] * 100, size=250)).encode()) < 150_000


def test_every_column_and_every_image_is_in_the_files() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(report()).decode("utf-8-sig"))))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["status"] for row in rows] == ["succeeded", "succeeded", "failed"] * 2
    assert rows[0]["name"] == "scarlet"
    assert rows[2]["error_code"] == "fetch_timeout"
    assert ndjson_of(report()).count(b"\n") == 6


def test_every_error_comes_with_what_to_do() -> None:
    assert set(ADVICE) == set(get_args(ItemErrorCode))


def test_a_batch_that_ended_at_its_deadline_says_so() -> None:
    late = report().model_copy(update={"reason": "deadline"})
    assert "deadline" in html_of(late)
    assert "deadline" in text_of(late)
    assert subject_of(late).isascii()


def test_the_mail_says_that_a_batch_was_canceled_and_how_much_of_it_was_not_classified() -> None:
    canceled = {"status": "failed", "classification": None, "error": ItemError(code="canceled", message="canceled")}
    ended = report(canceled, canceled).model_copy(update={"reason": "canceled"})
    sentence = "The batch was canceled: 2 images not classified."
    assert subject_of(ended) == "Color report: 6 images, 2 failed, 2 canceled"
    assert sentence in text_of(ended)
    assert sentence in html_of(ended)
    assert text_of(ended).count(" canceled  ") == 2
