"""Texts that are not ours, before they are logged: without queries of URLs, addresses of people, and secrets. Pure."""

import re
from typing import Final

_MAX: Final = 4000
_PATTERNS: Final = (
    (re.compile(r"(https?://[^\s?#'\"<>]*)[?#][^\s'\"<>]*", re.IGNORECASE), r"\1?…"),
    (re.compile(r"(https?://)[^\s/@'\"<>]*@", re.IGNORECASE), r"\1…@"),
    (re.compile(r"[^\s@<>'\"=,;:()\[\]/]+@[A-Za-z0-9][A-Za-z0-9.-]*"), "…@…"),
    (re.compile(r"[A-Za-z0-9_-]{40,}"), "…"),
)
"""What follows a question mark, users in URLs, addresses, and whatever is as long as a secret or a token."""


def redacted(text: str) -> str:
    """Leave out what nobody may read, and the middle of what is too long: the end of a traceback says the most.

    >>> redacted("GET https://cdn.example/a.jpg?token=abc for ann@shop.example")
    'GET https://cdn.example/a.jpg?… for …@…'
    """
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text if len(text) <= _MAX else f"{text[: _MAX // 4]}\n…\n{text[-_MAX // 2 :]}"
