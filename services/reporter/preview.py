"""`huestream reporter preview`: the mail of an example, or of a finished report, as files to look at."""

import argparse
import base64
import sys
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from pydantic import ValidationError

from schemas.fields import MAX_BATCH
from schemas.results import Report
from services.reporter.example_report import example_report
from services.reporter.mail import mail_of

_LINK = "https://huestream.example/inference/3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10/view?token=example"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("--report", type=Path, metavar="FILE", help="a report.json of the report store")
    parser.add_argument("--size", type=_size, default=64, metavar="N", help="images of the example (default: 64)")
    parser.add_argument(
        "--output", type=Path, default=Path("mail"), metavar="NAME", help="written are NAME.eml, .html and .txt"
    )


def _size(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_BATCH:
        raise argparse.ArgumentTypeError(f"expected 1 to {MAX_BATCH}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; returns the exit status."""
    try:
        report = Report.model_validate_json(arguments.report.read_bytes()) if arguments.report else None
        written = write_preview(report or example_report(arguments.size), arguments.output)
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no report.json of this version"
        sys.stderr.write(f"huestream: {getattr(error, 'filename', None) or arguments.report}: {reason}\n")
        return 1
    sys.stdout.writelines(f"{path}\n" for path in written)
    return 0


def write_preview(report: Report, output: Path) -> list[Path]:
    """Write the mail whole, and its two texts apart; returns the files."""
    content = mail_of(report, "huestream@huestream.example", "you@shop.example", _LINK)
    message = message_from_bytes(content, policy=default)
    forms = {
        ".eml": content,
        ".html": html_with_pictures(message).encode(),
        ".txt": _text(message, "plain").encode(),
    }
    paths = [output.with_name(f"{output.name}{ending}") for ending in forms]
    for path, form in zip(paths, forms.values(), strict=True):
        path.write_bytes(form)
    return paths


def html_with_pictures(message: EmailMessage) -> str:
    """Take the HTML out of a mail, with its inline pictures as data, so that a browser shows it as a mail program."""
    html = _text(message, "html")
    for part in message.walk():
        content_id, content = part["Content-ID"], part.get_payload(decode=True)
        if content_id and isinstance(content, bytes):
            data = f"data:{part.get_content_type()};base64,{base64.b64encode(content).decode()}"
            html = html.replace(f"cid:{str(content_id).strip('<>')}", data)
    return html


def _text(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
