from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.local.mailbox.keeping import keep, remove_parts, slug_of
from services.local.mailbox.mails import body_of, find_mail, mails_in

NOON = datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=UTC)


def test_a_mail_is_kept_byte_for_byte(tmp_path: Path) -> None:
    content = b"Message-ID: <a@b>\r\nSubject: x\r\n\r\n\xff\x00 not text\r\n"
    assert keep(tmp_path, content, NOON).read_bytes() == content


def test_only_finished_files_lie_in_the_folder(tmp_path: Path) -> None:
    path = keep(tmp_path, b"Subject: x\r\n\r\n", NOON)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_mails_of_the_same_microsecond_are_both_kept_in_order(tmp_path: Path) -> None:
    names = [keep(tmp_path, b"Message-ID: <same@host>\r\n\r\n%d" % number, NOON).name for number in range(3)]
    assert names == sorted(set(names))
    assert [mail.path.name for mail in mails_in(tmp_path)] == names[::-1]


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / ".123-1.part").write_bytes(b"half")
    (tmp_path / "note.txt").write_bytes(b"mine")
    remove_parts(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize(
    ("headers", "slug"),
    [
        (b"Message-ID: <report.6f1c@localhost>", "report.6f1c@localhost"),
        (b"message-id:\r\n <folded@host>", "folded@host"),
        (b"Message-ID: <../../../etc/passwd>", "etc-passwd"),
        (b"Message-ID: <..>", "mail"),
        (b"Subject: none\r\n\r\nMessage-ID: <body@host>", "mail"),
    ],
)
def test_the_name_comes_from_the_message_id_in_safe_letters(headers: bytes, slug: str) -> None:
    assert slug_of(headers) == slug


@given(st.binary(max_size=300))
def test_any_bytes_are_kept_found_and_read_again(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("mails")
    path = keep(folder, b"Message-ID: <" + content, NOON)
    assert path.parent == folder
    assert find_mail(folder, path.name) == path
    assert [mail.path for mail in mails_in(folder)] == [path]
    body_of(path.read_bytes())
