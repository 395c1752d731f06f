import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog import CatalogError
from services.submit.catalog import parse_catalog

HEADER = "image_path,product_type,hex_color_label,category"
ROW = "https://a.example/1.jpg,Shirt,#FF0000,Fashion"


def problems_of(text: str | bytes, *, lenient: bool = False) -> list[str]:
    with pytest.raises(CatalogError) as raised:
        parse_catalog(text.encode() if isinstance(text, str) else text, lenient=lenient)
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
    [image] = parse_catalog(text.encode())
    assert image.model_dump() == {
        "image_path": "https://a.example/1.jpg",
        "product_type": "Shirt",
        "hex_color_label": "#FF0000",
        "category": "Fashion",
        "custom_id": None,
    }


def test_rows_keep_their_order_and_their_own_ids() -> None:
    rows = "\n".join(f"{ROW},id-{number}" for number in range(600))
    images = parse_catalog(f"{HEADER},custom_id\n{rows}".encode())
    assert [image.custom_id for image in images] == [f"id-{number}" for number in range(600)]


def test_lenient_rows_need_no_label_and_no_category() -> None:
    [image] = parse_catalog(b"image_path,product_type\nhttp://a.example/1,Mug", lenient=True)
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
        (HEADER.encode("utf-16"), "the catalog is UTF-16"),
        (b"PK\x03\x04...", "the catalog is a spreadsheet"),
    ],
)
def test_what_is_wrong_is_named_by_line(text: str | bytes, said: str) -> None:
    assert said in problems_of(text)[0]


def test_all_problems_are_listed_and_the_message_stays_short() -> None:
    text = f"{HEADER}\n" + f"{ROW}\n,,,x\n" * 30
    assert len(problems_of(text)) == 90
    with pytest.raises(CatalogError, match=r"\nand 70 more$"):
        parse_catalog(text.encode())


@given(st.text(max_size=200))
def test_any_text_is_a_catalog_or_a_message_that_cannot_act_on_a_terminal(text: str) -> None:
    try:
        parse_catalog(f"{HEADER}\n{text}".encode("utf-8", "surrogatepass"))
    except CatalogError as error:
        assert all(problem.isprintable() for problem in error.problems)  # noqa: PT017  # an accepted text raises nothing
