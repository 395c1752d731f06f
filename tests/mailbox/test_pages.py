import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest

from services.local.mailbox.keeping import keep
from services.local.mailbox.page_server import reply_to
from services.local.mailbox.pages import LINKS_ONLY

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n-not-really"
HOSTILE = '<script>alert("x")</script>'


def report_mail(subject: str = "Colors of 3 images") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "huestream <a@b>", "you@localhost", subject
    message["Message-ID"] = "<report.1@host>"
    message.set_content(f"the text part {HOSTILE}")
    message.add_alternative('<p id="body">Hello</p><img src="cid:strip@host"><img src="cid:none">', subtype="html")
    html = message.get_body(("html",))
    assert html is not None
    html.add_related(PNG, "image", "png", cid="<strip@host>")
    message.add_attachment(b"a,b\r\n", "text", "csv", filename='../re"port.csv')
    return message.as_bytes()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"/mails/{quote(keep(tmp_path, report_mail(), NOON).name)}"


def test_the_list_is_newest_first_and_links_each_mail(tmp_path: Path) -> None:
    old = keep(tmp_path, report_mail("older"), NOON)
    new = keep(tmp_path, report_mail("newer"), NOON.replace(hour=13))
    page = reply_to(tmp_path, "/").content.decode()
    assert page.index("newer") < page.index("older")
    assert all(f'href="/mails/{quote(path.name, safe="")}"' in page for path in (old, new))


def test_an_empty_mailbox_says_so(tmp_path: Path) -> None:
    assert "No mail yet" in reply_to(tmp_path, "/").content.decode()


def test_scripts_read_the_list_as_json(tmp_path: Path) -> None:
    path = keep(tmp_path, report_mail(), NOON)
    [listed] = json.loads(reply_to(tmp_path, "/mails.json").content)
    assert listed == {
        "name": path.name,
        "arrived_at": "2026-11-24T12:00:00Z",
        "from": "huestream <a@b>",
        "to": "you@localhost",
        "subject": "Colors of 3 images",
        "size": path.stat().st_size,
    }


def test_a_mail_is_shown_with_its_frame_text_and_attachments(tmp_path: Path, address: str) -> None:
    page = reply_to(tmp_path, address).content.decode()
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "the text part &lt;script&gt;" in page
    assert "/attachments/1" in page


def test_the_html_of_a_mail_cannot_run_or_load_anything(tmp_path: Path, address: str) -> None:
    reply = reply_to(tmp_path, f"{address}/html")
    directives = [directive.strip() for directive in reply.policy.split(";")]
    assert {"default-src 'none'", f"sandbox {LINKS_ONLY}", "img-src data:"} <= set(directives)
    assert b'src="data:image/png;base64,' in reply.content
    assert b'src="cid:none"' in reply.content


def test_an_attachment_is_a_download_under_a_safe_name(tmp_path: Path, address: str) -> None:
    replies = [reply_to(tmp_path, f"{address}/attachments/{number}") for number in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 404]
    assert replies[0].content == PNG
    assert replies[1].content == b"a,b\r\n"
    assert replies[1].download_as is not None
    assert not set(replies[1].download_as) & set('/"\r\n')
    assert replies[1].content_type == "application/octet-stream"


def test_the_source_is_the_file_as_plain_text(tmp_path: Path, address: str) -> None:
    [path] = tmp_path.iterdir()
    reply = reply_to(tmp_path, f"{address}/source")
    assert reply.content == path.read_bytes()
    assert reply.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    "subject", [HOSTILE, "=?utf-8?b?PHNjcmlwdD5hbGVydCgieCIpPC9zY3JpcHQ+?=", "=?x-none?q?=3Cscript=3E?= <script>"]
)
def test_a_hostile_subject_is_only_text(tmp_path: Path, subject: str) -> None:
    path = keep(tmp_path, f"Subject: {subject}\r\nFrom: {HOSTILE}\r\nTo: {HOSTILE}\r\n\r\n".encode(), NOON)
    for target in ("/", f"/mails/{path.name}"):
        page = reply_to(tmp_path, target).content.decode()
        assert "<script" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "name", ["../secret.eml", "%2e%2e%2fsecret.eml", "..", ".hidden.eml", "secret.eml", "x%00.eml"]
)
def test_a_name_that_the_mailbox_never_gave_finds_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "mails").mkdir()
    for folder in (tmp_path, tmp_path / "mails"):
        (folder / "secret.eml").write_text("secret")
    assert reply_to(tmp_path / "mails", f"/mails/{name}").status == 404


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("Subject: secret\n\n")
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "20261124T120000.000000Z-link.eml").symlink_to(secret)
    assert b"secret" not in reply_to(folder, "/").content
    assert reply_to(folder, "/mails/20261124T120000.000000Z-link.eml").status == 404
