"""What of a report needs a person, in the order in which it is told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from schemas.results import Report, ResultItem


@dataclass(frozen=True)
class Summary:
    """A report, sorted by what is to be done."""

    items: Sequence[ResultItem]
    mismatches: Sequence[ResultItem]
    reviews: Sequence[ResultItem]
    failures: Sequence[ResultItem]
    canceled: int
    """Images that were not classified because the batch was canceled."""

    @property
    def classified(self) -> int:
        """Images with an answer."""
        return len(self.items) - len(self.failures) - self.canceled


def summary_of(report: Report) -> Summary:
    """Sort a report; an image that mismatches is not listed for review again."""
    mismatches = [item for item in report.items if verdict_of(item) == "disagree"]
    return Summary(
        items=report.items,
        mismatches=mismatches,
        reviews=[
            item
            for item in report.items
            if item.classification and item.classification.needs_review and item not in mismatches
        ],
        failures=[item for item in report.items if item.error and item.error.code != "canceled"],
        canceled=sum(item.error is not None and item.error.code == "canceled" for item in report.items),
    )


def verdict_of(item: ResultItem) -> str | None:
    """The verdict on the label, where there is a label."""
    if item.classification is None or item.classification.label is None:
        return None
    return item.classification.label.verdict


def short_name(item: ResultItem, length: int = 40) -> str:
    """Name an image as people do: by its file, or by the customer's own id."""
    if item.custom_id:
        return _shortened(item.custom_id, length)
    if not item.image_path:
        return "not received"
    try:
        path = urlsplit(item.image_path).path
    except ValueError:
        path = ""
    return _shortened(unquote(path.rstrip("/").rpartition("/")[2]) or item.image_path, length)


def _shortened(text: str, length: int) -> str:
    printable = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return printable if len(printable) <= length else f"{printable[: length - 1]}…"


ADVICE = {
    "fetch_dns": "The host name has no address. Check the URL for a typing error.",
    "fetch_timeout": "The image host was too slow. Submit the image again later.",
    "fetch_http_status": "The image host did not have the image. Open the URL in a browser and correct it.",
    "fetch_blocked_address": "The URL does not lead to a public web server. Use a public URL.",
    "fetch_too_many_redirects": "The URL redirects too often. Use the URL that it ends at.",
    "fetch_failed": "The connection to the image host failed. Submit the image again later.",
    "image_too_large": "The file is too large. Use a smaller version of the image.",
    "image_too_many_pixels": "The image has too many pixels. Use a smaller version of it.",
    "image_unsupported_format": "The file is not an image that can be read. Use JPEG, PNG, WEBP or GIF.",
    "image_corrupt": "The image file is damaged. Export it again.",
    "image_fully_transparent": "There is nothing to see in the image. Check the file.",
    "decode_timeout": "The image took too long to read. Export it again.",
    "decode_crashed": "The image could not be read. Export it again.",
    "timed_out": "The image was not classified before the deadline. Submit it again.",
    "canceled": "The batch was canceled. Submit the image again if it is still wanted.",
    "internal": "The fault is ours. Submit the image again; tell us if it stays so.",
}
"""What to do about each error, for the one who reads the mail."""
