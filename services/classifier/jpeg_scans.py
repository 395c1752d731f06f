"""The scans of a progressive JPEG: how many there are, and which of them a picture at an eighth of its size needs.

At 1/8 a decoder uses the mean of each block (the DC coefficient), and of the color components that are stored at half
size the first four coefficients. The last scans, which hold the most bytes, refine what is thrown away: without them
decoding costs a third. Source: ITU-T T.81, annexes B and G; libjpeg's `jdmaster.c` for the sizes of components.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAX_SCANS: Final = 100
"""Real photos have at most 59; thousands of scans cost half a minute in one C call that nothing can stop."""
_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_START_OF_SCAN: Final = b"\xff\xda"
_PROGRESSIVE_FRAME: Final = 0xC2
_SEQUENTIAL_FRAMES: Final = frozenset({0xC0, 0xC1})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN: Final = 0xDA
_MARKER: Final = 0xFF
_DC_LOST_BITS: Final = 1
_AC_LOST_BITS: Final = 2
_NEEDED: Final = range(6)
"""In zigzag order. Without the first AC coefficients of a component libjpeg-turbo guesses, and blurs its means."""


class _NotUnderstoodError(ValueError):
    """The file is not laid out as expected: the decoder is to see all of it."""


@dataclass
class _Wanted:
    """Which coefficients of which components are still missing."""

    missing: set[tuple[int, int]] = field(default_factory=set)

    def learn(self, scan: bytes) -> None:
        """Strike out what a scan header (without marker) brings."""
        count = scan[2]
        if len(scan) != 6 + 2 * count:
            raise _NotUnderstoodError
        first, last, bits = scan[3 + 2 * count], scan[4 + 2 * count], scan[5 + 2 * count] & 0x0F
        if bits > (_AC_LOST_BITS if first else _DC_LOST_BITS):
            return
        components = {scan[3 + 2 * number] for number in range(count)}
        self.missing -= {(name, number) for name in components for number in range(first, last + 1)}


def has_too_many_scans(content: bytes) -> bool:
    """Say whether a JPEG is a flood of scans."""
    if not content.startswith(_START) or _has_one_scan(content):
        return False
    return content.count(_START_OF_SCAN) > MAX_SCANS


def _has_one_scan(content: bytes) -> bool:
    """Say whether a JPEG is sequential and its first scan holds all components: a decoder stops after that one."""
    components = 0
    try:
        for kind, _, segment in _segments(content):
            if kind in _SEQUENTIAL_FRAMES and not components:
                components = segment[7]
            elif kind == _SCAN:
                return components > 0 and segment[2] == components
            elif kind in _FRAMES:
                return False
    except (_NotUnderstoodError, IndexError):
        return False
    return False


def for_an_eighth(content: bytes) -> bytes:
    """Cut a progressive JPEG after the scans that a picture of an eighth needs; anything unusual comes back whole."""
    try:
        end = _end_of_needed_scans(content)
    except (_NotUnderstoodError, IndexError):
        return content
    return content[:end] + _END


def _end_of_needed_scans(content: bytes) -> int:
    wanted = None
    for kind, position, segment in _segments(content):
        if wanted is not None and not wanted.missing:
            return position
        if kind == _PROGRESSIVE_FRAME and wanted is None:
            wanted = _wanted(segment)
        elif kind == _SCAN:
            if wanted is None:
                raise _NotUnderstoodError
            wanted.learn(segment)
        elif kind in _FRAMES:
            raise _NotUnderstoodError  # another kind of frame
    raise _NotUnderstoodError


def _wanted(frame: bytes) -> _Wanted:
    """Read the frame header (without marker): component names and how much smaller each is stored."""
    count = frame[7]
    if count not in {1, 3} or len(frame) < 8 + 3 * count:
        raise _NotUnderstoodError
    sizes = {frame[8 + 3 * n]: (frame[9 + 3 * n] >> 4, frame[9 + 3 * n] & 15) for n in range(count)}
    widest, highest = max(width for width, _ in sizes.values()), max(height for _, height in sizes.values())
    for width, height in sizes.values():
        if widest > 2 * width or highest > 2 * height:
            raise _NotUnderstoodError  # a component that is stored smaller needs more
    return _Wanted({(name, number) for name in sizes for number in _NEEDED})


def _segments(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Go through the segments: the kind of each, where its marker begins, and its bytes from the length on.

    After the first scan only scans are looked for: their data cannot hold the marker of one.
    """
    position = len(_START)
    while 0 <= position < len(content):
        kind, begin = content[position + 1], position + 2
        if content[position] != _MARKER:
            raise _NotUnderstoodError
        end = begin + int.from_bytes(content[begin : begin + 2], "big")
        yield kind, position, content[begin:end]
        position = content.find(_START_OF_SCAN, end) if kind == _SCAN else end
