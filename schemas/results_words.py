"""Results in the words of a colleague: what to do about an error, why a look is worth it, how an image is called."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from schemas.classification import Classification
from schemas.results import ResultItem

FAMILY_HEX: Final[Mapping[str, str]] = {
    "red": "#D22F35",
    "orange": "#EE7F2B",
    "yellow": "#F3C62F",
    "green": "#3F9A56",
    "blue": "#2F66C4",
    "purple": "#7D4BB3",
    "pink": "#EE8FB4",
    "brown": "#7A4E2F",
    "beige": "#DCC9A8",
    "white": "#FAFAF7",
    "gray": "#9A9A9A",
    "black": "#1B1B1D",
}
"""A color to show each family by, in the order in which families are shown."""

CAUSES: Final[Mapping[str, str]] = {
    "fetch_dns": "The image host is unknown",
    "fetch_timeout": "The image host was too slow",
    "fetch_http_status": "The image host did not have the image",
    "fetch_blocked_address": "The address is not on the public web",
    "fetch_too_many_redirects": "The address redirects too often",
    "fetch_failed": "The connection to the image host failed",
    "image_too_large": "The file is too large",
    "image_too_many_pixels": "The image has too many pixels",
    "image_unsupported_format": "The file is not an image that we can read",
    "image_corrupt": "The image file is damaged",
    "image_fully_transparent": "The image is fully transparent",
    "decode_timeout": "The image took too long to read",
    "decode_crashed": "The image could not be read",
    "timed_out": "The deadline came first",
    "canceled": "The batch was canceled first",
    "internal": "The fault is ours",
}
"""Each error as a heading."""

ADVICE: Final[Mapping[str, str]] = {
    "fetch_dns": "Check the host name in the URL for a typing error.",
    "fetch_timeout": "Submit it again later; if it stays slow, use a faster host.",
    "fetch_http_status": "Open the URL in a browser and correct it.",
    "fetch_blocked_address": "Use a URL that anyone on the web can open.",
    "fetch_too_many_redirects": "Use the URL that the redirects end at.",
    "fetch_failed": "Submit it again later; if it stays, check the host's certificate.",
    "image_too_large": "Use a smaller version of the image.",
    "image_too_many_pixels": "Use a smaller version of the image.",
    "image_unsupported_format": "Use JPEG, PNG, WEBP or GIF.",
    "image_corrupt": "Export the image again.",
    "image_fully_transparent": "There is nothing to see in it; check the file.",
    "decode_timeout": "Export the image again.",
    "decode_crashed": "Export the image again.",
    "timed_out": "Submit it again.",
    "canceled": "Submit it again if you still need it.",
    "internal": "Submit it again; tell us if it stays so.",
}
"""What to do about each error."""

_REVIEW_REASONS: Final[Mapping[str, str]] = {
    "low_confidence": "we are not sure of the color",
    "label_disagrees": "the label differs from the image",
    "product_not_found": "it is hard to tell the product from what is around it",
    "color_cast": "the light tints the whole picture",
}


_OF_THE_MAIN_COLOR: Final = {"agree": "label fits", "near": "label is close", "disagree": "label differs"}
_OF_ANOTHER_COLOR: Final = _OF_THE_MAIN_COLOR | {
    "agree": "label fits another of its colors",
    "near": "label is close to another of its colors",
}


def review_words(code: str) -> str:
    """Say why a look is worth it; a code that is newer than this text says it itself.

    >>> review_words("color_cast"), review_words("two_products")
    ('the light tints the whole picture', 'two products')
    """
    return _REVIEW_REASONS.get(code, code.replace("_", " "))


def verdict_words(found: Classification) -> str:
    """Say whether the label fits, or which color of the product it fits; nothing where there is no label."""
    label = found.label
    if label is None:
        return ""
    is_another = label.family != found.primary.family and label.nearest != found.primary.hex
    return (_OF_ANOTHER_COLOR if is_another else _OF_THE_MAIN_COLOR)[label.verdict]


def short_name(item: ResultItem, length: int = 40) -> str:
    """Name an image as people do: by the customer's own id, or by its file."""
    if item.custom_id:
        return shortened(item.custom_id, length)
    if not item.image_path:
        return f"image {item.index}"
    try:
        path = urlsplit(item.image_path).path
    except ValueError:
        path = ""
    return shortened(unquote(path.rstrip("/").rpartition("/")[2]) or item.image_path, length)


def shortened(text: str, length: int) -> str:
    r"""Cut a text, and take out what could turn a line around.

    >>> shortened("a\u202eb", 40), shortened("abcdef", 4)
    ('a�b', 'abc…')
    """
    printable = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return printable if len(printable) <= length else f"{printable[: length - 1]}…"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Count something.

    >>> counted(1, "image"), counted(2, "image")
    ('1 image', '2 images')
    """
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"
