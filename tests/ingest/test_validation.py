"""The contract's validation table, in its words and its order."""

import gc
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, to_builtins
from pydantic_core import from_json

from benchmarks.ingest import piece_seconds
from schemas.events import ImageFields
from services.ingest.batches import batch_of
from services.ingest.validation import InvalidBodyError, Item, read_images
from tests.shared_data import shared

ITEM = {
    "image_path": "https://shop.example/0.png",
    "product_type": "Shoes",
    "hex_color_label": "#FE2934",
    "category": "Fashion",
}
UNPLAIN = {"note": "NaN"}
INFERENCE_ID = "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10"
URL_RULE = "is invalid: expected an absolute http or https URL"
HEX_RULE = "is invalid: expected a hexadecimal color code such as #FF0000"
TOO_MANY_VALUES = "The request body is not valid JSON: more values than 250 images can have"
TEXT_RULE = "is invalid: expected a string of 1 to 256 characters"


def body(*items: object) -> bytes:
    return json.dumps(items).encode()


def sentences(content: bytes, *, lenient: bool = False) -> list[str]:
    try:
        read_images(content, lenient=lenient)
    except InvalidBodyError as error:
        return [violation.sentence.removeprefix("Invalid data. ") for violation in error.violations]
    return []


def changed(**changes: object) -> dict[str, object]:
    return ITEM | changes


@pytest.mark.parametrize("member", list(ITEM))
@pytest.mark.parametrize("absent", [None, "", "   ", "\t\n", "\N{NO-BREAK SPACE}"])
def test_absent_null_empty_and_blank_are_all_missing(member: str, absent: str | None) -> None:
    without = {name: value for name, value in ITEM.items() if name != member}
    expected = [f"Index 1's value for {member} is missing"]
    assert sentences(body(ITEM, without)) == expected
    assert sentences(body(ITEM, without | {member: absent})) == expected


@pytest.mark.parametrize(
    ("member", "value", "rule"),
    [
        *(("image_path", value, URL_RULE) for value in (
            "shop.example/0.png", "//shop.example/0.png", "ftp://shop.example/0.png", "http://", "http:///0.png",
            "http://user@shop.example/", "http://user:pw@shop.example/", "http://a b/", "http://shop.example/a b",
            "http://shop.example/\n", "javascript:alert(1)",
            "http://:80/", "http://h:x/", "http://h:123456/", "http://[::1", "http://h]/", "http://a\\b/",
            "http://?q", "http://#f", "https://" + "a" * 2041, 7, [],
        )),
        *(("hex_color_label", value, HEX_RULE) for value in (
            "FF0000", "#FF00", "#FF000000", "#GG0000", "red", " #FF0000", "#FF0000 ", "#FF0000\n", 0xFF0000, True,
        )),
        *(("product_type", value, TEXT_RULE) for value in ("a" * 257, "鞋" * 257, "a\x00b", "a\nb", "\x7f", 1, ["a"])),
        *(("category", value, TEXT_RULE) for value in ("a" * 257, "a\x1bb", "a\x85", {"a": 1})),
        ("custom_id", "a" * 65, "is invalid: expected a string of at most 64 characters"),
        ("custom_id", 5, "is invalid: expected a string of at most 64 characters"),
    ],
)  # fmt: skip
def test_a_value_that_breaks_its_rule_is_named_with_what_was_expected(member: str, value: object, rule: str) -> None:
    assert sentences(body(changed(**{member: value}))) == [f"Index 0's value for {member} {rule}"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("image_path", value) for value in (
            "http://h", "HTTPS://Shop.Example:8443/a?b=c#d", "http://127.0.0.1/", "http://[::1]/", "http://ü.example/ü",
            "https://" + "a" * 2040,
        )),
        *(("hex_color_label", value) for value in ("#abc", "#ABCDEF", "#aBcDeF")),
        *(("product_type", value) for value in ("a", " Schuhe für Kinder ", "鞋" * 256, "=1+1", "  " + "a" * 256)),
        *(("custom_id", value) for value in ("", " ", None, "a" * 64)),
    ],
)  # fmt: skip
def test_a_value_within_its_rule_is_echoed_unchanged(member: str, value: str | None) -> None:
    """Also beside an item that takes the path that explains."""
    blank = changed(product_type=" " * 300 + "a")
    for content in (body(changed(**{member: value})), body(changed(**{member: value}), blank)):
        assert getattr(read_images(content)[0], member) == (UNSET if value is None else value)


def test_the_first_error_is_of_the_lowest_index_and_then_in_the_order_of_the_members() -> None:
    worst: Mapping[str, Any] = {"category": "", "hex_color_label": 1, "product_type": "\n", "image_path": "x"}
    assert sentences(body(ITEM, worst, {}, 5))[:6] == [
        f"Index 1's value for image_path {URL_RULE}",
        "Index 1's value for product_type is missing",
        f"Index 1's value for hex_color_label {HEX_RULE}",
        "Index 1's value for category is missing",
        "Index 2's value for image_path is missing",
        "Index 2's value for product_type is missing",
    ]
    assert sentences(body(ITEM, 5)) == ["Index 1 is not an object"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{}", "The request body must be an array of image objects"),
        (b"null", "The request body must be an array of image objects"),
        (b"[]", "The request body must contain at least 1 image"),
        (body(*[ITEM] * 251), "The request body contains 251 images but the maximum is 250"),
    ],
)
def test_a_body_that_is_no_batch_is_told_so(content: bytes, sentence: str) -> None:
    assert sentences(content) == [sentence]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[NaN]", b'["\\ud800"]', b"\xef\xbb\xbf[]", "[]".encode("utf-16"), b"[" * 100_000, b"\xff"]
)
def test_what_is_not_json_is_told_so(content: bytes) -> None:
    [sentence] = sentences(content)
    assert sentence.startswith("The request body is not valid JSON: ")
    assert len(sentence) < 200


def test_lenient_handling_makes_label_and_category_optional_and_no_more() -> None:
    short = {name: ITEM[name] for name in ("image_path", "product_type")}
    assert read_images(body(short), lenient=True)[0].hex_color_label is UNSET
    assert read_images(body(short | {"category": " ", "hex_color_label": ""}), lenient=True)[0].category is UNSET
    assert sentences(body(short | {"hex_color_label": "red"}), lenient=True) == [
        f"Index 0's value for hex_color_label {HEX_RULE}"
    ]
    assert sentences(body({}), lenient=True)[0] == "Index 0's value for image_path is missing"


TEXTS = st.one_of(
    st.sampled_from(["", " ", "#FFF", "http://h/a", "a\n", "a" * 257, "\N{NO-BREAK SPACE}a", "\x85a", "#fff\n"]),
    st.text(max_size=20),
    st.none(),
    st.integers(),
)


@given(item=st.dictionaries(st.sampled_from([*ITEM, "custom_id", "more"]), TEXTS), lenient=st.booleans())
def test_the_fast_path_and_the_explaining_path_agree(item: dict[str, object], *, lenient: bool) -> None:
    """A second, broken item forces the first one through the path that explains."""
    alone = sentences(body(ITEM | item), lenient=lenient)
    beside = sentences(body(ITEM | item, 5), lenient=lenient)
    assert beside == [*alone, "Index 1 is not an object"]
    if not alone:
        [image] = read_images(body(ITEM | item), lenient=lenient)
        explained, _ = read_images(body(ITEM | item, ITEM | {"more": {"nested": []}} | UNPLAIN), lenient=lenient)
        assert _encoded(image) == _encoded(explained)
        members = to_builtins(image)
        assert ImageFields.model_validate(members).model_dump() == dict.fromkeys(ImageFields.model_fields) | members


PIECES = st.sampled_from(
    [
        *(b'"', b"\\", b"\\u", b"d83d", b"\\ud83d\\ude00", b"\\u0000", b"\xff", b"\xc3", "é".encode(), b"\xed\xa0\x80"),
        *(b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\x00", b"\x7f", b"0", b"-1e9", b"null", b"NaN", b"//"),
        *(b'"custom_id":"a",', b'"custom_id":null,', b'"category":1,', b'"category":"a",', b'"more":[{}],', b"{},"),
    ]
)  # fmt: skip
"""What makes JSON out of JSON, or something else."""


@given(pieces=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), PIECES), max_size=3))
def test_what_is_accepted_is_what_another_parser_reads(pieces: list[tuple[int, int, bytes]]) -> None:
    """The parser of the happy path and the one that explains agree on what is JSON, and on what it says."""
    content = body(ITEM, ITEM | {"custom_id": "b"})
    for place, removed, piece in pieces:
        content = content[:place] + piece + content[place + removed :]
    try:
        said = from_json(content, allow_inf_nan=False)
    except ValueError:
        assert sentences(content)[0].startswith("The request body is not valid JSON: ")
        return
    if not sentences(content):
        assert to_builtins(read_images(content)) == [
            {name: item[name] for name in ImageFields.model_fields if item.get(name) is not None} for item in said
        ]


def _encoded(image: Item) -> bytes:
    return batch_of([image], INFERENCE_ID, "key", datetime.now(UTC), 1).images[0][1].partition(b'"index"')[0]


@pytest.mark.parametrize("value", [b"NaN", b"[-Infinity]", b'"\\ud800"', b"01", b"'a'"])
def test_what_is_not_json_is_refused_also_in_members_that_nobody_knows(value: bytes) -> None:
    [sentence] = sentences(body(ITEM)[:-2] + b',"more":' + value + b"}]")
    assert sentence.startswith("The request body is not valid JSON: ")


def test_the_json_test_suite_ends_as_labeled() -> None:
    documents = sorted(shared("hostile", "json-test-suite").glob("*.json"))
    assert len(documents) > 300
    for path in documents:
        refused = any(
            sentence.startswith("The request body is not valid JSON") for sentence in sentences(path.read_bytes())
        )
        if path.name[:2] in {"y_", "n_"}:
            assert refused == path.name.startswith("n_"), path.name


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[" + b"0," * 149_000 + b"0]", "The request body contains 149001 images but the maximum is 250"),
        (b"[" + b"0," * 1_000_000 + b"0]", TOO_MANY_VALUES),
        (b"[" + b"[]," * 49_000 + b"[]]", "The request body contains 49001 images but the maximum is 250"),
        (b"[" + b"[]," * 690_000 + b"[]]", TOO_MANY_VALUES),
        (b"[" + b"[[[[]]]]," * 220_000 + b"[]]", TOO_MANY_VALUES),
        (b"[{" + b",".join(b'"%x":0' % number for number in range(210_000)) + b"}]", TOO_MANY_VALUES),
        (b'[{"image_path":[' + b"{}," * 49_000 + b"{}]}]", f"Index 0's value for image_path {URL_RULE}"),
        (b'["' + b"\\ud83d\\ude00" * 170_000 + b'"]', "Index 0 is not an object"),
        (b"[" + b",".join([b"9" * 4_200] * 490) + b"]", TOO_MANY_VALUES),
        (b"[" + b",".join([b"9" * 1_100] * 1_800) + b"]", TOO_MANY_VALUES),
        (b"[" + b",".join([b"9" * 4_200] * 60) + b"]", "Index 0 is not an object"),
    ],
    ids=[
        "numbers",
        "more-numbers",
        "arrays",
        "more-arrays",
        "nested",
        "members",
        "member",
        "escapes",
        "long-numbers",
        "more-long-numbers",
        "few-long-numbers",
    ],
)
def test_a_body_made_to_be_slow_holds_the_loop_for_a_moment_only(content: bytes, sentence: str) -> None:
    assert sentences(content)[0] == sentence
    assert min(max(piece_seconds(content)) for _ in range(5)) < 0.025
    assert gc.isenabled()


def test_a_large_batch_may_have_urls_of_digits_and_members_that_nobody_knows() -> None:
    items = [
        ITEM | {"image_path": f"https://shop.example/{str(index) * 600}", "more": [0] * 300} for index in range(250)
    ]
    assert [image.image_path for image in read_images(body(*items))] == [item["image_path"] for item in items]


def test_what_is_kept_of_a_large_body_is_what_the_rules_look_at() -> None:
    """Everything else is let go of before the garbage collector comes to it."""
    nested = ITEM | {"image_path": [[]] * 30_000, "more": [[]] * 10_000}
    before = len(gc.get_objects())
    most = max(len(gc.get_objects()) for _ in piece_seconds(body(nested, ITEM)))
    assert most - before < 10_000


def test_of_a_member_named_twice_the_last_one_counts() -> None:
    twice = body(ITEM).replace(b'"Fashion"', b'"First", "category": "Last"')
    assert [image.category for image in read_images(twice)] == ["Last"]


FOLDERS = ["s3://shop/public/", "gs://other/"]


def test_objects_of_buckets_are_no_images_unless_the_operator_says_so() -> None:
    for path in ("s3://shop/public/a.jpg", "gs://other/a.jpg", "az://third/a.jpg"):
        assert sentences(body(ITEM | {"image_path": path})) == [f"Index 0's value for image_path {URL_RULE}"]


def test_objects_of_the_operators_buckets_are_images_beside_those_of_the_web() -> None:
    paths = ["s3://shop/public/of all/Größe 42%20.jpg", "gs://other/a.jpg", "https://a.example/1.jpg"]
    images = read_images(body(*(ITEM | {"image_path": path, "more": 1} for path in paths)), buckets=FOLDERS)
    assert [image.image_path for image in images] == paths
    assert [ImageFields.model_validate(to_builtins(image)).image_path for image in images] == paths


@pytest.mark.parametrize(
    "path",
    [
        "s3://shop/private/a.jpg",
        "s3://shop/public-not/a.jpg",
        "s3://shop/public/../private/a.jpg",
        "s3://shop/public/",
        "az://shop/public/a.jpg",
        "s3://shop/public/a\n.jpg",
        "s3://shop/public/" + "a" * 2048,
        "ftp://shop/public/a.jpg",
    ],
)
def test_other_buckets_are_refused_without_naming_any(path: str) -> None:
    with pytest.raises(InvalidBodyError) as caught:
        read_images(body(ITEM | {"image_path": path}), buckets=FOLDERS)
    assert str(caught.value) == (
        "Invalid data. Index 0's value for image_path is invalid: expected an absolute http or https URL, or the path "
        "of an object in a bucket that images are read from"
    )
