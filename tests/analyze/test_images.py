from pathlib import Path

import pytest

from services.analyze.images import LocalImage, images_of_files, images_of_manifest
from services.catalog import CatalogError


def manifest(folder: Path, text: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    path = manifest(
        tmp_path,
        "category,image_path,note,product_type,hex_color_label,custom_id\nFashion,photos/a.jpg,x,Shirt,#F00,7\n,/b.png,,,,\n",
    )
    assert images_of_manifest(path) == [
        LocalImage(tmp_path / "photos/a.jpg", "photos/a.jpg", "Shirt", "#F00", "Fashion", "7"),
        LocalImage(Path("/b.png"), "/b.png"),
    ]


def test_only_the_path_is_needed(tmp_path: Path) -> None:
    assert images_of_manifest(manifest(tmp_path, "image_path\na b.jpg\n")) == [
        LocalImage(tmp_path / "a b.jpg", "a b.jpg")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no column image_path; the header names nothing"),
        ("file,color\na.jpg,red\n", "line 1: no column image_path; the header names file, color"),
        ("image_path\n", "the catalog has no rows"),
        ("image_path,product_type\n,Shirt\n", "line 2: image_path is missing"),
        ("image_path,hex_color_label\na.jpg,red\n", "line 2: hex_color_label is 'red'; write a code such as #FF0000"),
        ("image_path\nhttps://a.example/1.jpg\n", "huestream submit takes URLs"),
        ("image_path,category\na.jpg\n", "line 2: 1 cells where the header has 2"),
        ('image_path,category\n"a\x1b[2J.jpg",x\n', r"line 2: image_path has a control character: 'a\x1b[2J.jpg'"),
    ],
)
def test_a_bad_manifest_is_a_clear_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CatalogError) as raised:
        images_of_manifest(manifest(tmp_path, text))
    assert said in raised.value.problems[0]
    assert raised.value.problems[0].isprintable()


def test_a_name_that_is_no_text_can_still_be_shown() -> None:
    [image] = images_of_files(["caf\udce9.jpg"], "Mug")
    assert image.image_path == "caf\N{REPLACEMENT CHARACTER}.jpg"
    assert image.file == Path("caf\udce9.jpg")
    assert image.product_type == "Mug"
