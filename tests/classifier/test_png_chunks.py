import io

from PIL import Image

from services.classifier.png_chunks import has_too_many_chunks
from tests.classifier.bombs import chunk_flood


def test_a_flood_is_told_from_a_picture() -> None:
    content = io.BytesIO()
    Image.new("RGB", (900, 900)).save(content, "PNG")
    assert not has_too_many_chunks(content.getvalue())
    assert has_too_many_chunks(chunk_flood())


def test_what_is_cut_off_or_lies_about_its_length_is_left_to_the_decoder() -> None:
    assert not has_too_many_chunks(b"\x89PNG\r\n\x1a\n")
    assert not has_too_many_chunks(b"\x89PNG\r\n\x1a\n" + b"\xff" * 100)
    assert not has_too_many_chunks(chunk_flood()[:1000])
