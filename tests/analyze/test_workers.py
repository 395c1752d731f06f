import json
from pathlib import Path

import pytest

from services.analyze.images import LocalImage
from services.analyze.workers import lines_of
from tests.analyze.photos import dies_of_some, photo


def images(folder: Path, names: list[str]) -> list[LocalImage]:
    return [LocalImage(photo(folder / name), name) for name in names]


@pytest.mark.parametrize("processes", [1, 2])
def test_lines_come_in_the_order_of_their_images(tmp_path: Path, processes: int) -> None:
    names = [f"{number}.png" for number in range(90)]
    lines = [json.loads(line.text) for line in lines_of(images(tmp_path, names), processes)]
    assert [line["image_path"] for line in lines] == names
    assert [line["index"] for line in lines] == list(range(90))
    assert {line["status"] for line in lines} == {"succeeded"}


def test_the_same_files_give_the_same_lines_in_any_number_of_processes(tmp_path: Path) -> None:
    found = images(tmp_path, [f"{number}.png" for number in range(5)])
    assert list(lines_of(found, 1)) == list(lines_of(found, 3))


def test_an_image_that_kills_its_process_is_an_error_item_and_the_others_are_not(tmp_path: Path) -> None:
    names = ["a.png", "deadly-1.png", "b.png", "c.png", "deadly-2.png"]
    lines = [json.loads(line.text) for line in lines_of(images(tmp_path, names), 2, dies_of_some)]
    assert [line["image_path"] for line in lines] == names
    assert [line["error"] and line["error"]["code"] for line in lines] == [
        *(None, "decode_crashed", None, None, "decode_crashed")
    ]
