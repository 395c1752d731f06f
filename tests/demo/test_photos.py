"""A folder of photos as a catalog."""

from pathlib import Path

import pytest

from services.demo.photos import PhotosError, photo_items, photos_in

ADDRESS = "http://127.0.0.1:1"


def folder_with(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_photos_are_found_by_their_endings_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder_with(tmp_path, "b.PNG", "a.jpg", "notes.txt", "c.webp")
    assert [photo.name for photo in photos_in(tmp_path)] == ["a.jpg", "b.PNG", "c.webp"]


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_a_folder_without_photos_is_one_sentence(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotosError, match=folder):
        photos_in(tmp_path / folder)


@pytest.mark.parametrize("beside", [True, False])
def test_a_catalog_in_the_folder_or_beside_it_says_what_a_photo_shows(tmp_path: Path, beside: bool) -> None:  # noqa: FBT001
    photos = photos_in(folder_with(tmp_path / "images", "a.jpg", "b.jpg"))
    catalog = (tmp_path if beside else tmp_path / "images") / "labels.csv"
    catalog.write_text("file,product_type,category,hex_color_label\nimages/a.jpg,Shirt,Fashion,#FF0000\nb.jpg,,,red\n")
    first, second = photo_items(photos, ADDRESS)
    assert (first.product_type, first.category, first.hex_color_label) == ("Shirt", "Fashion", "#FF0000")
    assert (second.product_type, second.category, second.hex_color_label) == ("product", "photos", None)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"file\n\x00", b'file,x\n"'])
def test_a_catalog_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes) -> None:
    photos = photos_in(folder_with(tmp_path, "a b.jpg"))
    (tmp_path / "labels.csv").write_bytes(content)
    [item] = photo_items(photos, ADDRESS)
    assert item.image_path == f"{ADDRESS}/a%20b.jpg"
    assert item.product_type == "product"
