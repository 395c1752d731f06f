"""Every file ends in pixels or in a named problem."""

import csv
import io
import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.classifier.color import ANALYSIS_SIDE
from services.classifier.decoding import decode
from services.classifier.problems import DecodeProblem
from tests.shared_data import shared

MAX_PIXELS = 50_000_000
NOISE = Image.fromarray(np.random.default_rng(7).integers(0, 255, (30, 40, 3), dtype=np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def problem(content: bytes, max_pixels: int = MAX_PIXELS) -> str:
    with pytest.raises(DecodeProblem) as caught:
        decode(content, max_pixels)
    return caught.value.code


def outcome(content: bytes) -> str:
    try:
        decode(content, MAX_PIXELS)
    except DecodeProblem as found:
        return found.code
    return "pixels"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (640, 480), (1000, 1000)])
def test_each_format_becomes_small_upright_srgb(kind: str, size: tuple[int, int]) -> None:
    pixels = decode(encoded(Image.new("RGB", size, (250, 10, 20)), kind), MAX_PIXELS)
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3
    assert max(pixels.shape[:2]) <= 1.25 * ANALYSIS_SIDE
    assert np.abs(pixels.reshape(-1, 3).mean(axis=0) - (250, 10, 20)).max() < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_a_png_is_read(mode: str) -> None:
    image = Image.fromarray(np.full((20, 30), 40_000, dtype=np.uint16)) if mode == "I;16" else Image.new(mode, (30, 20))
    pixels = decode(encoded(image, "PNG"), MAX_PIXELS)
    assert pixels.shape in {(20, 30, 3), (20, 30, 4)}
    if mode == "I;16":
        assert pixels[0, 0].tolist() == [156, 156, 156]


def test_cmyk_jpegs_have_their_colors() -> None:
    red = Image.new("CMYK", (64, 64), (0, 255, 255, 0))
    pixels = decode(encoded(red, "JPEG", quality=95), MAX_PIXELS)
    red_part, green_part, blue_part = pixels.reshape(-1, 3).mean(axis=0)
    assert red_part > 200
    assert max(green_part, blue_part) < 90


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (80, 40), "white")
    image.paste((255, 0, 0), (0, 0, 40, 40))  # red on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    pixels = decode(encoded(image, "JPEG", exif=exif, quality=95), MAX_PIXELS)
    assert pixels.shape[0] > pixels.shape[1]
    assert pixels[5, 5, 1] < 60  # red is on top
    assert pixels[-5, 5, 1] > 200


def test_transparency_of_a_palette_survives() -> None:
    image = Image.new("P", (20, 20), 0)
    pixels = decode(encoded(image, "PNG", transparency=0), MAX_PIXELS)
    assert pixels.shape == (20, 20, 4)
    assert pixels[..., 3].max() == 0


def test_only_the_first_frame_of_an_animation_is_read() -> None:
    frames = [Image.new("RGB", (30, 30), color) for color in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert decode(content, MAX_PIXELS)[0, 0, 0] > 200


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    assert problem(encoded(Image.new("L", (300, 300)), "PNG"), max_pixels=80_000) == "image_too_many_pixels"
    size = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"nothing"))
    assert problem(png) == "image_too_many_pixels"


def test_a_flood_of_scans_is_refused_before_it_is_decoded() -> None:
    progressive = encoded(NOISE, "JPEG", progressive=True)
    start = progressive.rindex(b"\xff\xda")
    flood = progressive[:start] + progressive[start:-2] * 200 + progressive[-2:]
    assert problem(flood) == "image_corrupt"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "image_unsupported_format"),
        (b"no image at all", "image_unsupported_format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image_unsupported_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "image_unsupported_format"),
        (b"\xff\xd8\xff\xe0 and no more", "image_corrupt"),
        (b"\x89PNG\r\n\x1a\n", "image_corrupt"),
        (b"GIF89a", "image_corrupt"),
        (encoded(NOISE.resize((200, 200)), "JPEG")[:2000], "image_corrupt"),
        (encoded(Image.new("RGB", (9, 9)), "BMP"), "image_unsupported_format"),
    ],
)
def test_what_is_no_image_of_the_four_formats_is_told_so(content: bytes, code: str) -> None:
    assert problem(content) == code


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.data())
def test_a_damaged_file_ends_in_pixels_or_in_a_problem(kind: str, data: st.DataObject) -> None:
    content = bytearray(encoded(NOISE, kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(content)) in {"pixels", "image_corrupt", "image_unsupported_format", "image_too_many_pixels"}


def test_the_corpus_of_odd_files_ends_in_pixels_or_in_a_problem() -> None:
    corpus = shared("image-corpus")
    with (corpus / "manifest.csv").open(newline="") as manifest:
        files = [row["file"] for row in csv.DictReader(manifest)]
    outcomes = Counter(outcome((corpus / name).read_bytes()) for name in files if (corpus / name).exists())
    assert outcomes["pixels"] > 500
    assert set(outcomes) <= {"pixels", "image_corrupt", "image_unsupported_format", "image_too_many_pixels"}
