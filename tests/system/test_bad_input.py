"""What is not a batch is refused in the contract's words, and the services go on."""

import json
from typing import Any

import pytest

from tests.image_host import image_host
from tests.stack_fixtures import Stack, items

pytestmark = pytest.mark.system

PATH = "/inference/color-classification"
ITEM = {"image_path": "http://127.0.0.1/a.jpg", "product_type": "A", "hex_color_label": "#FFF", "category": "B"}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "Invalid data. The request body is not valid JSON: "),
        (b"\xff\xfe", 400, "Invalid data. The request body is not valid JSON: "),
        ([], 400, "Invalid data. The request body must contain at least 1 image"),
        ({}, 400, "Invalid data. The request body must be an array of image objects"),
        ([ITEM] * 251, 400, "Invalid data. The request body contains 251 images but the maximum is 250"),
        ([ITEM, {**ITEM, "image_path": None}], 400, "Invalid data. Index 1's value for image_path is missing"),
        (b"[" + b" " * (2 * 1024 * 1024) + b"]", 413, "The request body is larger than 2 MiB"),
    ],
)
def test_a_bad_body_is_refused_in_the_words_of_the_contract(
    stack: Stack, body: object, status: int, message: str
) -> None:
    answer = stack.call(PATH, body)
    assert answer.status == answer.body["code"] == status
    assert answer.body["message"].startswith(message)
    assert set(answer.body) == {"error", "message", "code"}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "API key is missing. Send it in the x-vody-api-key header"),
        ("hue_000000000000_" + "A" * 43, "API key is invalid"),
        ("nonsense", "API key is invalid"),
    ],
)
def test_a_wrong_key_is_refused_before_the_body_is_read(stack: Stack, key: str, message: str) -> None:
    answer = stack.call(PATH, b"{", x_vody_api_key=key)
    assert (answer.status, answer.body["message"]) == (401, message)


def test_unknown_paths_methods_and_inferences_have_replies_of_the_same_form(stack: Stack) -> None:
    answers: list[Any] = [
        stack.call("/nothing"),
        stack.call(PATH),
        stack.call("/inference/00000000-0000-4000-8000-000000000000/status"),
    ]
    assert [answer.status for answer in answers] == [404, 405, 404]
    assert all(set(answer.body) == {"error", "message", "code"} for answer in answers)


def test_after_all_that_a_batch_still_goes_through(stack: Stack) -> None:
    with image_host() as host:
        inference_id = stack.submit(items(host.url, 2)).body["inference_id"]
        assert json.dumps(stack.wait_for_status(inference_id, status="completed"))
        stack.wait_for_mail(inference_id)
