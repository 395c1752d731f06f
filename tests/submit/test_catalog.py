import json
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from services.catalog import CatalogError, Form
from services.submit.catalog import Wanted, parse_catalog
from services.submit.file_host import FileHost

HEADER = "image_path,product_type,hex_color_label,category"
ROW = "https://a.example/1.jpg,Shirt,#FF0000,Fashion"


def problems_of(text: str | bytes, *, lenient: bool = False) -> list[str]:
    with pytest.raises(CatalogError) as raised:
        parse_catalog(text.encode() if isinstance(text, str) else text, Wanted(lenient=lenient))
    return list(raised.value.problems)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        f"{HEADER}\n\n{ROW}\n,,,\n",
        f"{HEADER}\n{ROW}".replace(",", ";"),
        f"{HEADER}\n{ROW}".replace(",", "\t"),
        "Category, Image_Path ,note,hex_color_label,product_type\nFashion,https://a.example/1.jpg,x,#FF0000,Shirt",
    ],
)
def test_a_catalog_is_read_however_a_spreadsheet_wrote_it(text: str) -> None:
    [image] = parse_catalog(text.encode(), Wanted()).images
    assert image.model_dump() == {
        "image_path": "https://a.example/1.jpg",
        "product_type": "Shirt",
        "hex_color_label": "#FF0000",
        "category": "Fashion",
        "custom_id": None,
    }


def test_rows_keep_their_order_and_their_own_ids() -> None:
    rows = "\n".join(f"{ROW},id-{number}" for number in range(600))
    images = parse_catalog(f"{HEADER},custom_id\n{rows}".encode(), Wanted()).images
    assert [image.custom_id for image in images] == [f"id-{number}" for number in range(600)]


def test_lenient_rows_need_no_label_and_no_category() -> None:
    [image] = parse_catalog(b"image_path,product_type\nhttp://a.example/1,Mug", Wanted(lenient=True)).images
    assert (image.hex_color_label, image.category) == (None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no column image_path and no column product_type"),
        ("image_path,product_type,category\n", "line 1: no column hex_color_label; the header names image_path"),
        (f"{HEADER},category\n", "line 1: two columns are called category"),
        (f"{HEADER}\n", "the catalog has no rows"),
        (f"{HEADER}\n{ROW},more\n", "line 2: 5 cells where the header has 4"),
        (f'{HEADER}\n{ROW}\n"https://a.example/2.jpg,Shirt\n{ROW}\n', "line 3: the row cannot be read"),
        (f'{HEADER}\n"https://a.example/1.jpg","two\nlines",#F00,x\n{ROW[1:]}\n', "line 2: product_type has a control"),
        (f"{HEADER}\nhttps://a.example/1.jpg,,#FF0000,Fashion\n", "line 2: product_type is missing"),
        (
            f"{HEADER}\nhttps://a.example/1.jpg,Shirt,FF0000,Fashion\n",
            "line 2: hex_color_label is 'FF0000'; write #FF0",
        ),
        (f"{HEADER}\nhttps://a.example/1.jpg,Shirt,red,Fashion\n", "write a code such as #FF0000"),
        (f"{HEADER}\nphotos/1.jpg,Shirt,#FF0000,Fashion\n", "line 2: image_path is a file on this machine, 'photos/1"),
        (f"{HEADER}\nfile:///p/1.jpg,Shirt,#FF0000,Fashion\n", "put it on a web server"),
        (f"{HEADER}\nC:\\photos\\1.jpg,Shirt,#FF0000,Fashion\n", "is a file on this machine"),
        (f"{HEADER}\ns3://bucket/1.jpg,Shirt,#FF0000,Fashion\n", "begins with s3: and only http and https"),
        (f"{HEADER}\nhttps://user@a.example/1.jpg,Shirt,#FF0000,Fashion\n", "line 2: image_path is not a URL"),
        (f"{HEADER}\nhttps://a.example/1.jpg,{'x' * 257},#FF0000,Fashion\n", "longer than 256"),
        (f"{HEADER}\n{ROW}\n".encode() + b"https://a.example/\xe9,x,#FFF,y", "line 3: a letter is not UTF-8"),
        (b"\xff\xfeabc", "a letter is not UTF-16"),
        (b"PK\x03\x04...", "the catalog is a spreadsheet"),
    ],
)
def test_what_is_wrong_is_named_by_line(text: str | bytes, said: str) -> None:
    assert said in problems_of(text)[0]


def test_all_problems_are_listed_and_the_message_stays_short() -> None:
    text = f"{HEADER}\n" + f"{ROW}\n,,,x\n" * 30
    assert len(problems_of(text)) == 90
    with pytest.raises(CatalogError, match=r"\nand 70 more$"):
        parse_catalog(text.encode(), Wanted())


@given(st.text(max_size=200))
def test_any_text_is_a_catalog_or_a_message_that_cannot_act_on_a_terminal(text: str) -> None:
    try:
        parse_catalog(f"{HEADER}\n{text}".encode("utf-8", "surrogatepass"), Wanted())
    except CatalogError as error:
        assert all(problem.isprintable() for problem in error.problems)  # noqa: PT017  # an accepted text raises nothing


IMAGE = dict(zip(HEADER.split(","), ROW.split(","), strict=True))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_of_spreadsheets_are_read(encoding: str, separator: str) -> None:
    text = f"{HEADER}\n{ROW.replace('Shirt', 'Kjóll')}".replace(",", separator)
    [image] = parse_catalog(text.encode(encoding), Wanted()).images
    assert image.product_type == "Kjóll"


def test_columns_may_have_other_names() -> None:
    text = "Photo,Kind,Color code,Group,Number\nhttps://a.example/1.jpg,Shirt,#FF0000,Fashion,17"
    columns = {
        "image_path": "photo",
        "product_type": "Kind",
        "hex_color_label": "Color Code",
        "category": "Group",
        "custom_id": "Number",
    }
    [image] = parse_catalog(text.encode(), Wanted(columns=columns)).images
    assert image.model_dump() == IMAGE | {"custom_id": "17"}
    [image] = parse_catalog(
        json.dumps([{"url": IMAGE["image_path"], **IMAGE, "image_path": "x"}]).encode(),
        Wanted(columns={"image_path": "url"}),
        "json",
    ).images
    assert image.image_path == IMAGE["image_path"]


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_json_is_read_as_a_list_or_by_lines(form: Form) -> None:
    items = [IMAGE, IMAGE | {"custom_id": 17, "more": [1]}, IMAGE | {"custom_id": None}]
    content = json.dumps(items) if form == "json" else "\n\n".join(json.dumps(item) for item in items)
    images = parse_catalog(content.encode(), Wanted(), form).images
    assert [image.custom_id for image in images] == [None, "17", None]


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        ("{", "json", "line 1: the catalog is not JSON"),
        ("{}", "json", "the catalog is not a JSON list of objects"),
        ("[" * 100_000, "json", "the catalog is not JSON"),
        ("[1]", "json", "item 1: it is not an object"),
        ("[]", "json", "the catalog has no rows"),
        ('[{"image_path": ["x"]}]', "json", "item 1: image_path is not text"),
        ('{"image_path": "\\ud800"}', "ndjson", "line 1: image_path has half of a letter"),
        ("{}\n{", "ndjson", "line 1: image_path is missing"),
    ],
)
def test_what_is_wrong_in_json_is_named_too(content: str, form: Form, said: str) -> None:
    with pytest.raises(CatalogError) as raised:
        parse_catalog(content.encode(), Wanted(), form)
    assert raised.value.problems[0] == said


def test_broken_rows_can_be_left_out_and_are_named() -> None:
    text = f"{HEADER}\n{ROW}\nhttps://a.example/2.jpg,,#FF0000,Fashion\n{ROW},more\n{ROW}\n"
    catalog = parse_catalog(text.encode(), Wanted(skip_broken=True))
    assert len(catalog.images) == 2
    assert [problem.partition(":")[0] for problem in catalog.broken] == ["line 3", "line 4"]
    with pytest.raises(CatalogError):
        parse_catalog(f"{HEADER}\n,,,x\n".encode(), Wanted(skip_broken=True))


def test_a_row_that_is_no_csv_does_not_keep_the_others_from_being_read() -> None:
    text = f'{HEADER}\n{ROW}\n"https://a.example/2.jpg"x,Shirt,#FF0000,Fashion\n{ROW}\n"{ROW}\n{ROW}\n'
    catalog = parse_catalog(text.encode(), Wanted(skip_broken=True))
    assert len(catalog.images) == 2
    assert [problem.partition(":")[0] for problem in catalog.broken] == ["line 3", "line 5"]
    assert catalog.broken[0] == "line 3: the row cannot be read: a quote closes in the middle of a cell"
    assert "a quote opens in it that nothing closes, and takes in all that follows" in catalog.broken[1]


def test_a_hundred_thousand_rows_are_read() -> None:
    rows = "\n".join(f"{ROW},{number}" for number in range(100_000))
    images = parse_catalog(f"{HEADER},custom_id\n{rows}".encode(), Wanted()).images
    assert (len(images), images[-1].custom_id) == (100_000, "99999")


async def test_files_of_this_machine_are_served_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("in/a b#1.jpg", "outside.jpg", "in/unnamed.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "in/link.jpg").symlink_to(tmp_path / "outside.jpg")
    addresses = []
    for _ in range(2):
        host = FileHost(tmp_path / "in")
        async with host.serving(), aiohttp.ClientSession() as session:
            text = f"{HEADER}\na b#1.jpg,Shirt,#FF0000,Fashion\n"
            [image] = parse_catalog(text.encode(), Wanted(address_of=host.address_of)).images
            addresses.append(image.image_path)
            async with session.get(URL(image.image_path, encoded=True)) as reply:
                assert await reply.read() == b"in/a b#1.jpg"
                assert reply.content_type == "image/jpeg"
            base = URL(image.image_path).origin()
            for path in ("/unnamed.jpg", "/..%2foutside.jpg", "/link.jpg"):
                async with session.get(URL(f"{base}{path}", encoded=True)) as reply:
                    assert reply.status == 404
        for path in ("../outside.jpg", "link.jpg", "none.jpg", "/etc/passwd", "\0", "x" * 5000):
            assert host.address_of(path) is None
    assert len(set(addresses)) == 1


def test_objects_of_buckets_are_images_where_it_is_said_so() -> None:
    text = f"{HEADER}\n{ROW}\ns3://shop/public/of all/1.jpg,Shirt,#FF0000,Fashion\n".encode()
    images = parse_catalog(text, Wanted(buckets=True)).images
    assert [image.image_path for image in images] == ["https://a.example/1.jpg", "s3://shop/public/of all/1.jpg"]
    with pytest.raises(CatalogError, match="ftp: and only http and https"):
        parse_catalog(text.replace(b"s3:", b"ftp:"), Wanted(buckets=True))
