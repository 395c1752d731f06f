"""The mail: the same bytes for the same report, exactly our headers, and the text of customers stays text."""

import csv
import io
import json
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from schemas.events import ItemError
from schemas.fields import Family, ItemErrorCode
from schemas.results import Report, ResultItem
from schemas.results_csv import COLUMNS
from schemas.results_words import ADVICE, CAUSES, FAMILY_HEX, short_name
from services.__main__ import main
from services.reporter.example_report import example_report
from services.reporter.mail import HEADERS, mail_of
from services.reporter.mail_html import html_of
from services.reporter.mail_picture import HEIGHT, WIDTH, strips_png
from services.reporter.mail_text import subject_of, text_of
from services.reporter.reports import csv_of, ndjson_of
from tests.reporter.examples import INFERENCE_ID, NOW, classification, result

LINK = f"https://hue.example/inference/{INFERENCE_ID}/view?token=abc"
CONTENT_ID = f"colors.{INFERENCE_ID}@x.example"

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
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html + text_of(hostile)
    assert html.count("<") == html_of(report(dict.fromkeys(change, "plain"))).count("<")
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
        "multipart/related",
        "text/html",
        "image/png",
        "text/csv",
        "application/json",
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
    everything = report(*[long | disagree] * 250, size=250)
    for each in (example_report(250), report(*[long] * 250, size=250), everything):
        assert len(html_of(each, LINK, "colors@x.example").encode()) < 80_000
    assert "more <a" not in html_of(example_report(250), LINK)
    assert "more on the results page" in re.sub("<[^>]*>", "", html_of(everything, LINK))
    assert "more in the attached files" in html_of(everything)


def test_every_column_and_every_image_is_in_the_files() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(report()).decode("utf-8-sig"))))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["status"] for row in rows] == ["succeeded", "succeeded", "failed"] * 2
    assert rows[0]["name"] == "scarlet"
    assert rows[2]["error_code"] == "fetch_timeout"
    assert ndjson_of(report()).count(b"\n") == 6


def test_every_error_comes_with_what_to_do_and_every_family_with_a_color() -> None:
    assert set(get_args(ItemErrorCode)) <= set(ADVICE)
    assert set(ADVICE) == set(CAUSES)
    assert set(get_args(Family)) == set(FAMILY_HEX)


def test_the_only_link_leads_to_the_results_page_and_the_only_picture_is_inside() -> None:
    message = parsed(mail_of(report(), "from@x.example", "to@x.example", LINK))
    html, text = (message.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    assert set(re.findall(r'(?:href|src)="([^"]*)"', html.get_content())) == {LINK, f"cid:{CONTENT_ID}"}
    assert LINK in text.get_content()
    [picture] = [part for part in message.walk() if part["Content-ID"]]
    assert picture["Content-ID"] == f"<{CONTENT_ID}>"
    assert picture.get_content_disposition() == "inline"
    assert 'alt="The colors of all images' in html.get_content()


def test_the_picture_shows_every_image_and_is_small() -> None:
    drawn = strips_png(example_report(250).items)
    assert drawn is not None
    assert len(drawn) < 20_000
    picture = Image.open(io.BytesIO(drawn))
    assert picture.size == (WIDTH, HEIGHT)
    top = {picture.getpixel((x, 0)) for x in range(WIDTH)}
    assert len(top) == 14
    assert strips_png([]) is None


def test_what_needs_action_comes_before_the_rest() -> None:
    titles = ("LABELS", "WORTH A LOOK", "FAILED", "THE COLORS OF THE BATCH", "THE OTHER")
    for form in (html_of(example_report()).partition("<h2")[2], text_of(example_report()).partition("TO")[2]):
        found = [form.upper().index(title) for title in titles if title in form.upper()]
        assert len(found) >= 4
        assert found == sorted(found)


def test_the_label_that_is_least_likely_right_comes_first() -> None:
    found = classification()
    assert found.label is not None
    chances = (0.3, 0.05, 0.2)
    changes = [
        {
            "custom_id": f"chance-{chance}",
            "status": "succeeded",
            "error": None,
            "classification": found.model_copy(
                update={"label": found.label.model_copy(update={"verdict": "disagree", "match_probability": chance})}
            ),
        }
        for chance in chances
    ]
    for form in (html_of(report(*changes)), text_of(report(*changes))):
        assert re.findall(r"chance-([\d.]+)", form)[:3] == ["0.05", "0.2", "0.3"]


def test_doubts_are_gathered_by_their_reason() -> None:
    doubtful = [item for item in example_report(250).items if item.classification and item.classification.needs_review]
    text = re.sub("<[^>]*>", "", html_of(example_report(250)))
    assert len(doubtful) > 12
    assert text.count("We are not sure of the color; it is hard to tell the product from what is around it") == 1


def test_every_image_is_named_once_in_the_text() -> None:
    text = text_of(example_report(250))
    for item in example_report(250).items:
        assert text.count(f"{short_name(item)}") == 1


def test_the_json_file_holds_what_the_endpoint_gives() -> None:
    message = parsed(mail_of(example_report(3), "from@x.example", "to@x.example"))
    [attached] = [part for part in message.iter_attachments() if part.get_content_type() == "application/json"]
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert json.loads(content) == [item.model_dump(mode="json") for item in example_report(3).items]


def test_the_preview_writes_the_mail_of_an_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reporter", "preview", "--size", "9", "--output", str(tmp_path / "look")]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == ["look.eml", "look.html", "look.txt"]
    assert "cid:" not in (tmp_path / "look.html").read_text()
    assert main(["reporter", "preview", "--report", str(tmp_path / "absent")]) == 1
    assert main(["reporter", "preview", "--report", str(tmp_path / "look.txt")]) == 1


def test_a_batch_that_ended_at_its_deadline_says_so() -> None:
    late = report().model_copy(update={"reason": "deadline"})
    assert "deadline" in html_of(late)
    assert "deadline" in text_of(late)
    assert subject_of(late).isascii()


def test_the_mail_says_that_a_batch_was_canceled_and_how_much_of_it_was_not_classified() -> None:
    canceled = {"status": "failed", "classification": None, "error": ItemError(code="canceled", message="canceled")}
    ended = report(canceled, canceled).model_copy(update={"reason": "canceled"})
    sentence = "The batch was canceled; the report shows what was done by then."
    assert subject_of(ended) == "Color report: 6 images, 2 failed, 2 canceled"
    assert sentence in " ".join(text_of(ended).split())
    assert sentence in html_of(ended)
    assert text_of(ended).count("CANCELED") == 1
