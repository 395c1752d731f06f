"""How many chunks a PNG has, before a decoder goes through them one by one."""

import struct
from typing import Final

MAX_CHUNKS: Final = 20_000
"""A photo of 20 MB has 2,500 at 8 KiB each; 400,000 empty ones cost a decoder three seconds."""
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_LENGTH: Final = struct.Struct(">I")
_AROUND: Final = 12


def has_too_many_chunks(content: bytes) -> bool:
    """Say whether a PNG is a flood of chunks; a damaged one is left to the decoder."""
    position, end = len(SIGNATURE), len(content) - _AROUND
    for _ in range(MAX_CHUNKS):
        if position > end:
            return False
        position += _LENGTH.unpack_from(content, position)[0] + _AROUND
    return position <= end
