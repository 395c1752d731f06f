"""The report as a mail: the same report gives the same bytes, always. Pure.

No text of a customer stands in a header: folded encoded words can smuggle headers past the library (CVE-2024-6923).
"""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from schemas.results import Report
from services.reporter.mail_html import html_of
from services.reporter.mail_picture import strips_png
from services.reporter.mail_text import subject_of, text_of
from services.reporter.reports import csv_of, json_of

HEADERS: Final = (*("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"),)


class UnsafeMailError(Exception):
    """The mail does not have exactly the headers it should have; it is not sent."""


def message_id(inference_id: str, domain: str) -> str:
    """Name the one mail of a batch."""
    return f"<report.{inference_id}@{domain}>"


def mail_of(report: Report, sender: str, recipient: str, link: str | None = None) -> bytes:
    """Write the mail; `link` leads to the results page. Raises `UnsafeMailError` when headers are not exactly ours."""
    domain = sender.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = f"huestream <{sender}>"
    message["To"] = recipient
    message["Subject"] = subject_of(report)
    message["Date"] = format_datetime(report.finished_at)
    message["Message-ID"] = message_id(report.inference_id, domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(report, link))
    _add_html(message, report, link, f"colors.{report.inference_id}@{domain}")
    message.add_attachment(csv_of(report), maintype="text", subtype="csv", filename=f"{report.inference_id}.csv")
    message.add_attachment(
        json_of(report), maintype="application", subtype="json", filename=f"{report.inference_id}.json"
    )
    _fix_boundaries(message, report.inference_id)
    content = message.as_bytes()
    _assert_headers(content)
    return content


def _add_html(message: EmailMessage, report: Report, link: str | None, content_id: str) -> None:
    """Add the HTML, and beside it the one picture that it shows."""
    picture = strips_png(report.items)
    message.add_alternative(html_of(report, link, content_id if picture else None), subtype="html")
    html = message.get_body(("html",))
    if picture and html is not None:
        html.add_related(picture, "image", "png", cid=f"<{content_id}>", disposition="inline", filename="colors.png")


def _fix_boundaries(message: EmailMessage, inference_id: str) -> None:
    """The library would draw them by chance. None can occur inside a part: the parts are encoded or escaped."""
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_huestream_{inference_id}_{number}")


def _assert_headers(content: bytes) -> None:
    found = message_from_bytes(content, policy=SMTP)
    if sorted(found.keys()) != sorted(HEADERS):
        raise UnsafeMailError("the mail's headers are not the expected ones")
