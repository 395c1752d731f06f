"""The web side: the list, each mail, its parts. The standard library's server keeps the process small."""

import ipaddress
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Final
from urllib.parse import unquote, urlsplit

from services.local.mailbox.mails import Mail, body_of, find_mail, mail_at, mails_in
from services.local.mailbox.pages import LINKS_ONLY, list_page, mail_page

_PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'"
_MAIL_POLICY: Final = (
    f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox {LINKS_ONLY}; frame-ancestors 'self'"
)
_NOTHING_POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
_HTML: Final = "text/html; charset=utf-8"
_IDLE_SECONDS: Final = 10


@dataclass(frozen=True)
class Reply:
    """What is answered to a request."""

    content: bytes
    content_type: str
    policy: str = _NOTHING_POLICY
    status: int = 200
    download_as: str | None = None


_NOT_FOUND: Final = Reply(b"There is nothing here.\n", "text/plain; charset=utf-8", status=404)
_FOREIGN: Final = Reply(b"This page is read by its address, not by a name.\n", "text/plain; charset=utf-8", status=421)


def reply_to(folder: Path, target: str) -> Reply:
    """Answer a GET request for that target."""
    match unquote(urlsplit(target).path).strip("/").split("/"):
        case [""]:
            return Reply(list_page(mails_in(folder)).encode(), _HTML, _PAGE_POLICY)
        case ["mails.json"]:
            listed = [_listed(mail) for mail in mails_in(folder)]
            return Reply(json.dumps(listed, indent=2).encode(), "application/json")
        case ["mails", name, *rest]:
            path = find_mail(folder, name)
            return _part(path, rest) if path else _NOT_FOUND
    return _NOT_FOUND


def _listed(mail: Mail) -> dict[str, object]:
    return {
        "name": mail.path.name,
        "arrived_at": mail.arrived_at.isoformat().replace("+00:00", "Z"),
        "from": mail.sender,
        "to": mail.recipient,
        "subject": mail.subject,
        "size": mail.size,
    }


def _part(path: Path, rest: list[str]) -> Reply:
    content = path.read_bytes()
    match rest:
        case []:
            return Reply(mail_page(mail_at(path), body_of(content)).encode(), _HTML, _PAGE_POLICY)
        case ["source"]:
            return Reply(content, "text/plain; charset=utf-8")
        case ["html"] if (html := body_of(content).html) is not None:
            return Reply(html.encode("utf-8", "replace"), _HTML, _MAIL_POLICY)
        case ["attachments", number] if number.isdecimal():
            return _attachment(content, int(number))
    return _NOT_FOUND


def _attachment(content: bytes, number: int) -> Reply:
    attachments = body_of(content).attachments
    if number >= len(attachments):
        return _NOT_FOUND
    file_name = re.sub(r"[^A-Za-z0-9_.-]+", "-", attachments[number].file_name)[-80:].strip(".-") or "attachment"
    return Reply(attachments[number].content, "application/octet-stream", download_as=file_name)


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_SECONDS
    server_version = "huestream-mailbox"
    sys_version = ""

    def __init__(self, answer: Callable[[str], Reply], *arguments: object) -> None:
        self._answer = answer
        super().__init__(*arguments)  # type: ignore[arg-type]  # what the server hands to every handler

    def do_GET(self) -> None:
        """Answer; the name is the library's."""
        reply = self._answer(self.path) if _is_address(self.headers.get("Host", "")) else _FOREIGN
        self.send_response(reply.status)
        for name, value in _headers(reply).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *_: object) -> None:
        """Keep quiet: the log has one line for each mail, none for each look at it."""


def _headers(reply: Reply) -> dict[str, str]:
    headers = {
        "Content-Type": reply.content_type,
        "Content-Length": str(len(reply.content)),
        "Content-Security-Policy": reply.policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    if reply.download_as:
        headers["Content-Disposition"] = f'attachment; filename="{reply.download_as}"'
    return headers


def _is_address(host: str) -> bool:
    """Say whether a page was asked for by address; a foreign name that leads here is another site's trick."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False  # a browser that keeps its connection does not delay the end

    def handle_error(self, *_: object) -> None:
        """Let a client go that went away."""


@contextmanager
def serving(host: str, port: int, folder: Path) -> Iterator[int]:
    """Serve the pages until the block ends; yields the port. Raises `OSError` when the port cannot be had."""
    with _Server((host, port), partial(_Handler, partial(reply_to, folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
