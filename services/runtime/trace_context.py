"""The W3C trace context, as far as it is handed on: one header of HTTP or of a record. Pure.

Source: W3C Trace Context, sections 3.2 and 3.3; what does not match is as if it were not there.
"""

import re
from collections.abc import Iterable
from typing import Final

HEADER: Final = "traceparent"
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def valid(text: str | None) -> str | None:
    """Give a text back where it is a trace context.

    >>> valid("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    >>> valid("00-00000000000000000000000000000000-00f067aa0ba902b7-01")
    """
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None


def traceparent_of(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    """Find the trace context among the headers of a record."""
    for name, value in headers:
        if name == HEADER:
            return valid((value or b"").decode("latin-1"))
    return None


def headers_of(traceparent: str | None) -> list[tuple[str, bytes]]:
    """Write a trace context as headers of a record; none where there is none."""
    return [(HEADER, traceparent.encode())] if traceparent else []


def is_sampled(traceparent: str) -> bool:
    """Say whether whoever began the trace wants it recorded."""
    return int(traceparent[-2:], 16) & 1 == 1


def unsampled(traceparent: str) -> str:
    """Hand a trace on, of which nothing of ours is recorded."""
    return f"{traceparent[:-2]}00"


def trace_id(traceparent: str) -> str:
    """Name the trace.

    >>> trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    '4bf92f3577b34da6a3ce929d0e0e4736'
    """
    return traceparent[3:35]
