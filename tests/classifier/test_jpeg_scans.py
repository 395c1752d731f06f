"""A progressive JPEG is cut where an eighth of its size is enough, and only there."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.classifier.decoding import decode
from services.classifier.jpeg_scans import for_an_eighth, has_too_many_scans
from tests.shared_data import shared


def photo(side: int, mode: str = "RGB", **options: object) -> bytes:
    small = np.random.default_rng(3).integers(0, 255, (side // 25, side // 25, 3), dtype=np.uint8)
    content = io.BytesIO()
    picture = Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC).convert(mode)
    picture.save(content, "JPEG", **({"quality": 85, "progressive": True} | options))
    return content.getvalue()


def at_an_eighth(content: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(content))
    image.draft(None, (image.width // 8, image.height // 8))
    return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_the_cut_shows_at_an_eighth_only_in_the_last_bits(subsampling: int) -> None:
    content = photo(1000, subsampling=subsampling)
    cut = for_an_eighth(content)
    assert len(cut) < 0.8 * len(content)
    difference = np.abs(at_an_eighth(cut) - at_an_eighth(content))
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) <= 6


def test_real_photos_differ_in_the_last_bits_only() -> None:
    paths = sorted(shared("color-dev", "mixed").rglob("*.jpg"))[:8]
    assert paths
    for path in paths:
        content = io.BytesIO()
        with Image.open(path) as image:
            image.convert("RGB").save(content, "JPEG", progressive=True, quality=85)
        cut = for_an_eighth(content.getvalue())
        assert len(cut) < len(content.getvalue())
        difference = np.abs(at_an_eighth(cut) - at_an_eighth(content.getvalue()))
        assert difference.mean() < 1.5
        assert np.percentile(difference, 99) <= 8


@pytest.mark.parametrize(
    "content",
    [
        photo(200, progressive=False),
        photo(200, "CMYK"),
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xda\x00\x02",
        photo(200)[:300],
    ],
)
def test_what_is_unusual_stays_whole(content: bytes) -> None:
    assert for_an_eighth(content) == content


def test_gray_is_cut_too() -> None:
    content = photo(1000, "L")
    assert len(for_an_eighth(content)) < 0.8 * len(content)
    assert np.abs(at_an_eighth(for_an_eighth(content)) - at_an_eighth(content)).mean() < 2


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_never_raises(data: st.DataObject) -> None:
    content = bytearray(photo(100))
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = for_an_eighth(bytes(content))
    assert len(cut) <= len(content) + 2


def test_a_small_picture_is_decoded_from_all_scans() -> None:
    content = photo(500)
    whole = io.BytesIO()
    Image.open(io.BytesIO(content)).save(whole, "PNG")
    difference = decode(content, 10**6).mean() - decode(whole.getvalue(), 10**6).mean()
    assert abs(difference) < 1


def test_scans_are_counted() -> None:
    assert not has_too_many_scans(photo(200))
    assert has_too_many_scans(b"\xff\xd8" + b"\xff\xda" * 101)
    assert not has_too_many_scans(b"PNG" + b"\xff\xda" * 101)
