"""The mails of a folder: kept byte for byte, listed newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"\d{8}T\d{6}-\d{6}-[A-Za-z0-9.-]{0,80}\.eml")


@dataclass(frozen=True)
class Mail:
    """One mail as it lies in the folder."""

    path: Path

    @property
    def name(self) -> str:
        """Name of its file, which sorts by arrival."""
        return self.path.name

    def message(self) -> EmailMessage:
        """Parse it."""
        return message_from_bytes(self.path.read_bytes(), policy=default)

    def part(self, kind: str) -> str | None:
        """The text of its HTML or plain part."""
        found = self.message().get_body((kind,))
        return str(found.get_content()) if found is not None else None

    def attachments(self) -> Iterator[tuple[str, bytes]]:
        """Names and contents of what is attached."""
        for part in self.message().iter_attachments():
            content = part.get_payload(decode=True)
            yield part.get_filename() or "attachment", content if isinstance(content, bytes) else b""


def keep(folder: Path, content: bytes, arrival: str) -> Mail:
    """Write a mail so that it is there whole or not at all; `arrival` is a time that sorts."""
    message_id = str(message_from_bytes(content, policy=default)["Message-ID"] or "")
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", message_id).strip("-")[:80]
    path = folder / f"{arrival}-{slug}.eml"
    fresh = path.with_suffix(".part")
    fresh.write_bytes(content)
    fresh.replace(path)
    return Mail(path)


def mails(folder: Path) -> list[Mail]:
    """List all mails, newest first."""
    return [Mail(path) for path in sorted(folder.glob("*.eml"), reverse=True) if _NAME.fullmatch(path.name)]


def find(folder: Path, name: str) -> Mail | None:
    """Find a mail by its file name; nothing outside of the folder can be named."""
    path = folder / name
    return Mail(path) if _NAME.fullmatch(name) and path.is_file() else None
