"""The page that lists the mails, for people and for scripts."""

from html import escape
from pathlib import Path
from typing import Final

from aiohttp import web

from services.local.mailbox.folder import Mail, find, mails

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_MAIL_POLICY: Final = f"{_POLICY}; sandbox"
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:40px auto;padding:0 20px;
color:#23211f;background:#faf8f5}
a{color:inherit}table{border-collapse:collapse;width:100%}td{border-top:1px solid #ddd7cf;padding:10px 12px 10px 0}
h1{font-weight:600}.q{color:#6f6a64}
@media(prefers-color-scheme:dark){body{background:#161514;color:#ece8e2}td{border-color:#383532}.q{color:#a8a199}}
"""


def mail_page(folder: Path) -> web.Application:
    """Build the page."""
    shown = _Page(folder)
    app = web.Application()
    app.router.add_get("/", shown.listing)
    app.router.add_get("/mails.json", shown.as_json)
    app.router.add_get("/mails/{name}/{form:html|text|source}", shown.form)
    app.router.add_get("/mails/{name}/attachments/{number:[0-9]+}", shown.attachment)
    return app


class _Page:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def listing(self, _: web.Request) -> web.Response:
        rows = "".join(_row(mail) for mail in mails(self._folder)) or "<tr><td>No mail so far.</td></tr>"
        return _html(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Mails</title><style>{_STYLE}</style>'
            f"<h1>Mails</h1><table>{rows}</table></html>"
        )

    async def as_json(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {"file": str(mail.path), "subject": str(message["Subject"]), "to": str(message["To"])}
                for mail in mails(self._folder)
                for message in [mail.message()]
            ]
        )

    async def form(self, request: web.Request) -> web.Response:
        mail, form = self._mail(request), request.match_info["form"]
        if form == "html":
            return _html(mail.part("html") or "<p>This mail has no HTML.", _MAIL_POLICY)
        text = mail.part("plain") if form == "text" else mail.path.read_bytes().decode(errors="replace")
        return web.Response(text=text or "", content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})

    async def attachment(self, request: web.Request) -> web.Response:
        found = list(self._mail(request).attachments())
        number = int(request.match_info["number"][:3])
        if number >= len(found):
            raise web.HTTPNotFound
        headers = {"Content-Disposition": f'attachment; filename="attachment-{number}"'}
        return web.Response(body=found[number][1], content_type="application/octet-stream", headers=headers)

    def _mail(self, request: web.Request) -> Mail:
        mail = find(self._folder, request.match_info["name"])
        if mail is None:
            raise web.HTTPNotFound
        return mail


def _row(mail: Mail) -> str:
    message = mail.message()
    here = f"/mails/{mail.name}"
    attached = " ".join(
        f'<a href="{here}/attachments/{number}">{escape(name)}</a>'
        for number, (name, _) in enumerate(mail.attachments())
    )
    return (
        f'<tr><td><a href="{here}/html"><b>{escape(str(message["Subject"]))}</b></a><br>'
        f'<span class="q">to {escape(str(message["To"]))}, {escape(str(message["Date"]))}</span></td>'
        f'<td><a href="{here}/text">text</a> <a href="{here}/source">source</a> {attached}</td></tr>'
    )


def _html(text: str, policy: str = _POLICY) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})
