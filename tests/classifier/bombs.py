"""Small files that cost much: each ends in a named error, within the limits."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *before: bytes, color: int = 2, data: bytes = b"") -> bytes:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(before) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """Zeros, whole mebibytes of them, as zlib packs them (RFC 1950), without packing each of them."""
    packer, blocks = zlib.compressobj(9, wbits=-zlib.MAX_WBITS), count >> 20
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = ((blocks << 20) % 65_521) << 16 | 1
    return b"\x78\xda" + block * blocks + packer.flush() + struct.pack(">I", checksum)


def wide_png() -> bytes:
    """13,000 by 13,000 pixels in half a megabyte."""
    return png(13_000, 13_000, data=zeros(13_000 * 39_001))


def png_at_the_limit() -> bytes:
    """49 million pixels with transparency, which may pass: 196 MB of pixels."""
    return png(7_000, 7_000, color=6, data=zeros(7_000 * 28_001 + (1 << 20)))


def chunk_flood() -> bytes:
    """400,000 empty chunks, each a turn of an interpreted loop."""
    small = zlib.compress(b"".join(b"\0" + bytes(3 * 8) for _ in range(8)))
    return png(8, 8, png_chunk(b"teSt", b"") * 400_000, data=small)


def text_bomb() -> bytes:
    """200 MB of text in 200 KB."""
    small = zlib.compress(b"".join(b"\0" + bytes(3 * 8) for _ in range(8)))
    return png(8, 8, png_chunk(b"zTXt", b"Comment\0\0" + zeros(200 << 20)), data=small)


def profile_bomb() -> bytes:
    """A color profile of 200 MB."""
    small = zlib.compress(b"".join(b"\0" + bytes(3 * 8) for _ in range(8)))
    return png(8, 8, png_chunk(b"iCCP", b"icc\0\0" + zeros(200 << 20)), data=small)


def webp() -> bytes:
    """9,400 by 9,400 pixels of one color, lossless, in 34 bytes."""
    bits = (9_399 | 9_399 << 14).to_bytes(4, "little")
    body = b"\x2f" + bits + bytes.fromhex("0788888808f20ff0")
    content = b"WEBPVP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def gif_canvas() -> bytes:
    """A canvas of 9,000 by 9,000 pixels around a frame of one."""
    head = b"GIF89a" + struct.pack("<HH", 9_000, 9_000) + b"\x80\0\0" + bytes(6)
    return head + b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0\x3b"


def gif_at_the_limit() -> bytes:
    """A canvas of 7,000 by 7,000 pixels."""
    return gif_canvas().replace(struct.pack("<HH", 9_000, 9_000), struct.pack("<HH", 7_000, 7_000), 1)


@cache
def _progressive(side: int) -> tuple[bytes, int]:
    content = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (side // 8, side // 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((side, side)).save(content, "JPEG", progressive=True, quality=5)
    return content.getvalue(), content.getvalue().rindex(b"\xff\xda")


def scan_flood(times: int = 2_000) -> bytes:
    """The last scan of a progressive JPEG of 4,000 by 4,000 pixels, over and over."""
    content, last = _progressive(4_000)
    empty = content[last : last + 10] + b"\0"  # a scan without data
    return content[:last] + empty * times + b"\xff\xd9"


def scans_at_the_limit() -> bytes:
    """As many scans as are let through."""
    return scan_flood(89)


def _cached(make: Callable[[], bytes]) -> Callable[[], bytes]:
    return cache(make)


BOMBS: dict[str, Callable[[], bytes]] = {
    make.__name__: _cached(make)
    for make in (
        wide_png,
        png_at_the_limit,
        chunk_flood,
        text_bomb,
        profile_bomb,
        webp,
        gif_canvas,
        gif_at_the_limit,
        scan_flood,
        scans_at_the_limit,
    )
}
# What is as large as it may be is decoded, or takes longer than it may on a machine that does other things too.
ENDS: dict[str, set[str]] = {
    "wide_png": {"image_too_many_pixels"},
    "png_at_the_limit": {
        "classified",
        "image_corrupt",
        "image_fully_transparent",
        "image_too_many_pixels",
        "decode_timeout",
    },
    "chunk_flood": {"image_corrupt"},
    "text_bomb": {"image_corrupt"},
    "profile_bomb": {"image_corrupt"},
    "webp": {"image_too_many_pixels"},
    "gif_canvas": {"image_too_many_pixels"},
    "gif_at_the_limit": {"classified", "image_corrupt", "decode_timeout"},
    "scan_flood": {"image_corrupt"},
    "scans_at_the_limit": {"classified", "image_corrupt", "decode_timeout"},
}
