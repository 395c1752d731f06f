"""The pages of the mailbox. Pure; every text of a mail is escaped, and there is no script."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final
from urllib.parse import quote

from services.local.mailbox.mails import Attachment, Body, Mail

LINKS_ONLY: Final = "allow-popups allow-popups-to-escape-sandbox"
"""What the HTML of a mail may do: have its links opened, each in a tab of its own."""

_STYLE: Final = """
:root{color-scheme:light dark;--bg:#f4f2ee;--card:#fff;--ink:#23211f;--soft:#6f6a64;--line:#e6e1da;--hover:#faf8f5;
--link:#2456c4}
@media (prefers-color-scheme:dark){:root{--bg:#161514;--card:#211f1d;--ink:#ece8e2;--soft:#a8a199;--line:#383532;
--hover:#2a2725;--link:#8fb4ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:960px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:22px;line-height:1.3;margin:0 0 4px;font-weight:600;overflow-wrap:anywhere}
h2{font-size:15px;margin:28px 0 8px;font-weight:600}
a{color:var(--link);text-decoration:none}a:hover,.soft a{text-decoration:underline}
.soft{color:var(--soft)}.bar{height:5px;border-radius:3px;margin:0 0 24px;
background:linear-gradient(90deg,#d64545,#e8833a,#e9c43b,#5aa55a,#3c8fc9,#5a57b5,#b0589e)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden}
table{width:100%;border-collapse:collapse}
th{text-align:left;font-weight:500;font-size:13px;color:var(--soft)}
th,td{padding:11px 16px;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
thead th{border-top:0}tbody tr:hover{background:var(--hover)}
.time,.size{white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--soft)}.size{text-align:right}
iframe{display:block;width:100%;height:72vh;border:0;background:#fff}
pre{margin:0;padding:16px;overflow:auto;max-height:60vh;white-space:pre-wrap;overflow-wrap:anywhere;
font:13px/1.5 ui-monospace,Menlo,Consolas,monospace}
ul{list-style:none;margin:0;padding:0}li{padding:10px 16px;border-top:1px solid var(--line);display:flex;gap:16px}
li:first-child{border-top:0}li .size{margin-left:auto}
.empty{padding:56px 20px;text-align:center}
@media (max-width:600px){main{padding:20px 12px 40px}thead{display:none}td{display:block;border:0;padding:2px 14px}
tr{display:block;padding:10px 0;border-top:1px solid var(--line)}.size{text-align:left}}
"""


def list_page(mails: Sequence[Mail]) -> str:
    """Write the list, newest first as given."""
    count = f"{len(mails)} mail{'' if len(mails) == 1 else 's'}"
    table = (
        '<table><thead><tr><th scope="col">Time (UTC)</th><th scope="col">Subject</th><th scope="col">To</th>'
        f'<th scope="col" class="size">Size</th></tr></thead><tbody>{"".join(map(_row, mails))}</tbody></table>'
    )
    empty = '<p class="empty soft">No mail yet. It shows here as soon as one is sent.</p>'
    return _page(
        "Mailbox",
        f'<h1>Mailbox</h1><p class="soft">{count}, kept on this machine and sent to nobody. '
        f'<a href="/">Look again</a></p><div class="card">{table if mails else empty}</div>',
    )


def _row(mail: Mail) -> str:
    return (
        f'<tr><td class="time">{mail.arrived_at:%Y-%m-%d %H:%M:%S}</td>'
        f'<td><a href="{_address(mail)}">{_isolated(mail.subject or "(no subject)")}</a></td>'
        f'<td>{_isolated(mail.recipient)}</td><td class="size">{size_of(mail.size)}</td></tr>'
    )


def mail_page(mail: Mail, body: Body) -> str:
    """Write the view of one mail; its HTML stays in a frame of its own that can do nothing."""
    subject = mail.subject or "(no subject)"
    return _page(
        subject,
        f'<p><a href="/">← Mailbox</a></p><h1>{_isolated(subject)}</h1>'
        f'<p class="soft">From {_isolated(mail.sender)} to {_isolated(mail.recipient)}<br>'
        f"{mail.arrived_at:%Y-%m-%d %H:%M:%S} UTC, {size_of(mail.size)}, "
        f'<a href="{_address(mail)}/source">source</a></p>'
        f"{_html(mail, body)}{_text(body)}{_attachments(mail, body.attachments)}",
    )


def _html(mail: Mail, body: Body) -> str:
    if body.html is None:
        return ""
    address = f"{_address(mail)}/html"
    return (
        f'<h2><a href="{address}">HTML</a></h2><div class="card">'
        f'<iframe sandbox="{LINKS_ONLY}" title="The HTML of this mail" src="{address}"></iframe></div>'
    )


def _text(body: Body) -> str:
    if body.text is None:
        return ""
    told = f'<pre tabindex="0" aria-label="The text of this mail">{escape(body.text)}</pre>'
    return f'<h2>Text</h2><div class="card">{told}</div>'


def _attachments(mail: Mail, attachments: Sequence[Attachment]) -> str:
    if not attachments:
        return ""
    lines: Iterable[str] = (
        f'<li><a href="{_address(mail)}/attachments/{number}">{_isolated(attachment.file_name)}</a>'
        f'<span class="soft">{escape(attachment.content_type)}</span>'
        f'<span class="size">{size_of(len(attachment.content))}</span></li>'
        for number, attachment in enumerate(attachments)
    )
    return f'<h2>Attachments</h2><ul class="card">{"".join(lines)}</ul>'


def _isolated(text: str) -> str:
    """Escape a text and keep its direction marks from turning what stands beside it."""
    return f"<bdi>{escape(text)}</bdi>"


def _address(mail: Mail) -> str:
    return f"/mails/{quote(mail.path.name, safe='')}"


def size_of(count: int) -> str:
    """Write a number of bytes for people.

    >>> size_of(20_480)
    '20 kB'
    """
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body><main><div class="bar"></div>{content}</main></body></html>'
    )
