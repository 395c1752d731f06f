"""Reading the mails of a folder. Their senders are not trusted: whatever cannot be read is shown as empty or raw."""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path
from typing import Final

from services.local.mailbox.keeping import ARRIVAL_FORMAT

_NAME: Final = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-[A-Za-z0-9_.@-]{1,80}\.eml")
_HEADER_BYTES: Final = 65_536
_CID: Final = re.compile(r"""cid:([^"'\s<>)]{1,200})""", re.IGNORECASE)
_INLINE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True)
class Mail:
    """One mail of a folder, as it is listed."""

    path: Path
    arrived_at: datetime
    sender: str
    recipient: str
    subject: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Attachment:
    """A part of a mail that is neither of its bodies."""

    file_name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Body:
    """What is in a mail; images that its HTML refers to by Content-ID are inside the HTML."""

    text: str | None
    html: str | None
    attachments: Sequence[Attachment]


def mails_in(folder: Path) -> list[Mail]:
    """List the mails of a folder, newest first; other files are ignored."""
    paths = sorted((path for path in folder.glob("*.eml") if _is_ours(path)), reverse=True)
    return [mail_at(path) for path in paths]


def find_mail(folder: Path, name: str) -> Path | None:
    """Find the mail of that file name; a name that the mailbox would never give finds nothing."""
    path = folder / name
    return path if _NAME.fullmatch(name) and _is_ours(path) else None


def _is_ours(path: Path) -> bool:
    return _NAME.fullmatch(path.name) is not None and path.is_file() and not path.is_symlink()


def mail_at(path: Path) -> Mail:
    """Read what the list shows of a mail that the mailbox kept."""
    with path.open("rb") as file:
        headers = BytesHeaderParser().parsebytes(file.read(_HEADER_BYTES))
    return Mail(
        path=path,
        arrived_at=datetime.strptime(path.name.partition("-")[0], ARRIVAL_FORMAT).replace(tzinfo=UTC),
        sender=_decoded(headers, "From"),
        recipient=_decoded(headers, "To"),
        subject=_decoded(headers, "Subject"),
        size=path.stat().st_size,
    )


def _decoded(headers: Message, name: str) -> str:
    raw = str(headers.get(name, ""))
    try:
        text = str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError):
        text = raw
    return " ".join(text.encode("utf-8", "replace").decode().split())


def body_of(content: bytes) -> Body:
    """Take a mail apart."""
    leaves = list(_leaves(BytesParser().parsebytes(content)))
    text = next((part for part in leaves if _is_body(part, "text/plain")), None)
    html = next((part for part in leaves if _is_body(part, "text/html")), None)
    attachments = [part for part in leaves if part is not text and part is not html]
    return Body(
        text=None if text is None else _text(text),
        html=None if html is None else _with_images(_text(html), attachments),
        attachments=[_attachment(part, number) for number, part in enumerate(attachments, start=1)],
    )


def _leaves(message: Message) -> Iterator[Message]:
    return (part for part in message.walk() if not part.is_multipart())


def _is_body(part: Message, content_type: str) -> bool:
    return part.get_content_type() == content_type and part.get_content_disposition() != "attachment"


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    charset = part.get_content_charset("utf-8")
    try:
        return _bytes(part).decode(charset, "replace")
    except LookupError:
        return _bytes(part).decode("utf-8", "replace")


def _attachment(part: Message, number: int) -> Attachment:
    return Attachment(part.get_filename(f"part-{number}"), part.get_content_type(), _bytes(part))


def _with_images(html: str, parts: Sequence[Message]) -> str:
    """Put images in the place of their Content-IDs, so that the page needs no second request."""
    images = {str(part.get("Content-ID", "")).strip().strip("<>"): part for part in parts}

    def address(match: re.Match[str]) -> str:
        part = images.get(match.group(1))
        if part is None or part.get_content_type() not in _INLINE_TYPES:
            return match.group()
        return f"data:{part.get_content_type()};base64,{base64.b64encode(_bytes(part)).decode()}"

    return _CID.sub(address, html)
