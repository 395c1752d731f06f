"""Requests of all kinds against a running endpoint: the replies of the contract, and nothing else."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.ingest.request_headers import PROBLEM
from tests.ingest.calling import ITEM, SUBMIT, Answer, Caller, images
from tests.ingest.replicas import Replica

pytestmark = pytest.mark.system

TWO_MIB = 2 * 1024 * 1024


def assert_error(answer: Answer, status: int, error: str, message: str) -> None:
    assert answer.body == {"error": error, "message": message, "code": status}
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.headers["Server"] == "huestream"


async def test_an_accepted_batch_is_answered_with_three_members(caller: Caller) -> None:
    answer = await caller.submit(images(250))
    assert answer.status == 200
    inference_id = answer.body["inference_id"]
    assert str(UUID(inference_id)) == inference_id
    assert answer.body == {
        "message": "Message queued successfully on the inference queue for color-classification",
        "inference_id": inference_id,
        "model": "color-classification",
    }
    assert list(answer.body) == ["message", "inference_id", "model"]
    assert answer.headers["Content-Type"] == "application/json"
    assert "Preference-Applied" not in answer.headers


async def test_without_a_content_type_and_with_that_of_a_form_a_body_is_still_json(caller: Caller) -> None:
    body = json.dumps(images(1)).encode()
    for content_type in (
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "text/plain; charset=punycode",
        "application/json;x",
    ):
        assert (await caller.submit(body, Content_Type=content_type)).status == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The request body is not valid JSON: EOF while parsing an object at line 1 column 1"),
        (b"", "The request body is not valid JSON: EOF while parsing a value at line 1 column 0"),
        ({}, "The request body must be an array of image objects"),
        ([], "The request body must contain at least 1 image"),
        (images(251), "The request body contains 251 images but the maximum is 250"),
        ([*images(34), {**ITEM, "image_path": " "}], "Index 34's value for image_path is missing"),
        ([ITEM, 5], "Index 1 is not an object"),
        (
            [{**ITEM, "hex_color_label": "FF0000"}],
            "Index 0's value for hex_color_label is invalid: expected a hexadecimal color code such as #FF0000",
        ),
    ],
)
async def test_a_bad_body_is_refused_with_its_first_error(caller: Caller, body: object, message: str) -> None:
    assert_error(await caller.submit(body), 400, "Bad Request", f"Invalid data. {message}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "API key is missing. Send it in the x-vody-api-key header"),
        ("expired", "API key has expired"),
        ("revoked", "API key has been revoked"),
    ],
)
async def test_a_key_that_does_not_hold_is_refused_before_all_else(
    caller: Caller, issued: dict[str, str], name: str | None, message: str
) -> None:
    answer = await caller.using(issued[name] if name else None).submit(b"{", Content_Encoding="gzip")
    assert_error(answer, 401, "Unauthorized", message)
    assert "RateLimit" not in answer.headers


async def test_a_wrong_secret_tells_nothing_of_the_key(caller: Caller, issued: dict[str, str]) -> None:
    for name in ("expired", "revoked", "0"):
        wrong = issued[name][:-43] + "A" * 43
        assert_error(await caller.using(wrong).submit([]), 401, "Unauthorized", "API key is invalid")
    in_query = await caller.using(None).call("POST", f"{SUBMIT}?x-vody-api-key={caller.key}", [])
    assert in_query.status == 401


async def test_a_key_does_what_its_scopes_allow(caller: Caller, issued: dict[str, str]) -> None:
    refused = await caller.using(issued["reader"]).submit([])
    assert_error(refused, 403, "Forbidden", "API key is not allowed to submit images")
    assert (await caller.using(issued["submitter"]).submit([])).status == 400
    assert (await caller.using(issued["submitter"]).get("/inference/x/status")).status == 403


async def test_paths_and_methods_come_before_the_key(caller: Caller) -> None:
    nobody = caller.using(None)
    assert_error(await nobody.get("/nothing"), 404, "Not Found", "There is nothing at this path")
    answer = await nobody.get(SUBMIT)
    assert_error(answer, 405, "Method Not Allowed", "GET is not allowed here; use POST")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "inference_id", ["x", "00000000-0000-4000-8000-000000000000", "%0d%0aSet-Cookie:a", "%00", "é"]
)
async def test_what_is_no_inference_is_not_found(caller: Caller, inference_id: str) -> None:
    for what in ("status", "results"):
        answer = await caller.get(f"/inference/{inference_id}/{what}")
        assert answer.status == 404
        assert answer.body["message"].startswith("Inference ")


async def _stream(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 65_536):
        yield b" " * 65_536


async def test_a_body_over_2_mib_is_refused_whether_it_says_so_or_not(caller: Caller, replicas: list[Replica]) -> None:
    message = "The request body is larger than 2 MiB"
    assert_error(await caller.submit(b" " * (TWO_MIB + 1)), 413, "Content Too Large", message)
    raw = await _raw(replicas[0], _head(caller, f"Content-Length: {TWO_MIB + 1}", "Connection: close"))
    assert raw.startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    assert_error(await caller.submit(_stream(TWO_MIB + 65_536)), 413, "Content Too Large", message)
    assert (await caller.submit(b" " * (TWO_MIB - 2) + b"[]")).status == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
async def test_a_compressed_body_is_refused_unread(caller: Caller, encoding: str) -> None:
    answer = await caller.submit(b"\x1f\x8b" + b"\0" * 100_000, Content_Encoding=encoding)
    message = "The request body must not be compressed; send it without Content-Encoding"
    assert_error(answer, 415, "Unsupported Media Type", message)


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/png", "multipart/form-data; boundary=x", "application/xml"]
)
async def test_what_is_clearly_not_json_is_refused(caller: Caller, content_type: str) -> None:
    answer = await caller.submit(b"[]", Content_Type=content_type)
    assert_error(answer, 415, "Unsupported Media Type", "The request body must be JSON; send it as application/json")


async def test_size_type_and_items_are_checked_in_the_order_of_the_contract(caller: Caller) -> None:
    wrong = {"Content_Type": "text/html", "Idempotency_Key": "\u00e9" * 300}
    assert (await caller.submit(b" " * (TWO_MIB + 1), **wrong)).status == 413
    assert (await caller.submit(b"{", **wrong)).status == 415
    items_first = await caller.submit(b"{", Idempotency_Key="a" * 256)
    assert "not valid JSON" in items_first.body["message"]
    key_then = await caller.submit(images(1), Idempotency_Key="a" * 256)
    assert_error(key_then, 400, "Bad Request", "The Idempotency-Key must be 1 to 255 printable ASCII characters")


async def test_problem_details_list_every_error_with_its_pointer(caller: Caller) -> None:
    body = [ITEM, {**ITEM, "image_path": "x", "category": None}, 5]
    answer = await caller.submit(body, Accept="application/problem+json, application/json;q=0.5")
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    path_rule = "Invalid data. Index 1's value for image_path is invalid: expected an absolute http or https URL"
    assert answer.body == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": path_rule,
        "errors": [
            {"detail": path_rule, "pointer": "#/1/image_path"},
            {"detail": "Invalid data. Index 1's value for category is missing", "pointer": "#/1/category"},
            {"detail": "Invalid data. Index 2 is not an object", "pointer": "#/2"},
        ],
    }
    nobody = await caller.using(None).submit(body, Accept="application/problem+json")
    assert (nobody.body["title"], nobody.body["errors"]) == ("Unauthorized", [])


async def test_lenient_handling_is_applied_and_said_so(caller: Caller) -> None:
    short = [{"image_path": "https://shop.example/0.png", "product_type": "Shoes"}]
    assert (await caller.submit(short)).body[
        "message"
    ] == "Invalid data. Index 0's value for hex_color_label is missing"
    answer = await caller.submit(short, Prefer="respond-async, handling=lenient")
    assert (answer.status, answer.headers["Preference-Applied"]) == (200, "handling=lenient")


async def test_every_reply_forbids_caching_and_has_an_id_of_its_own(caller: Caller) -> None:
    answers = [await caller.submit(images(1)), await caller.get("/nothing"), await caller.using(None).submit([])]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


async def test_odd_charsets_cost_nothing(caller: Caller, replicas: list[Replica]) -> None:
    """Decoding 200 kB of punycode would hold the loop for seconds."""
    before = replicas[0].processor_seconds()
    body = json.dumps(images(250, product_type="x" * 250)).encode() + b" " * 150_000
    assert len(body) > 200_000
    charsets = ("punycode", "utf-7", "idna", "no-such-charset", "utf-16") * 4
    for charset in charsets:
        answer = await caller.submit(body, Content_Type=f"application/json; charset={charset}")
        assert answer.status in {200, 429}
    assert (replicas[0].processor_seconds() - before) / len(charsets) < 0.05  # it takes about 0.003


async def _raw(replica: Replica, *parts: bytes, timeout_seconds: float = 15) -> bytes:
    """Send bytes as they are, and read until the server closes."""
    host, _, port = replica.url.removeprefix("http://").partition(":")
    async with asyncio.timeout(timeout_seconds):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await reader.read()
        finally:
            writer.close()


def _head(caller: Caller, *lines: str) -> bytes:
    head = [f"POST {SUBMIT} HTTP/1.1", "Host: h", f"x-vody-api-key: {caller.key}", *lines, "", ""]
    return "\r\n".join(head).encode()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: \x00\r\n\r\n",
    ],
    ids=["tls", "two-lengths", "smuggling", "long-line", "nul"],
)
async def test_what_is_not_http_is_a_400_in_the_same_form(replicas: list[Replica], request_bytes: bytes) -> None:
    head, _, body = (await _raw(replicas[0], request_bytes)).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"\r\nx-request-id: " in head
    assert json.loads(body) == {"error": "Bad Request", "message": "The request is not valid HTTP", "code": 400}


@pytest.mark.parametrize("target", [f"POST {SUBMIT}", "GET /inferences", "GET /nothing"])
async def test_an_expectation_that_is_none_is_refused_in_the_same_form(replicas: list[Replica], target: str) -> None:
    message = "The only expectation that can be met is 100-continue"
    forms = {
        "*/*": ("application/json", {"error": "Expectation Failed", "message": message, "code": 417}),
        PROBLEM: (PROBLEM, {"title": "Expectation Failed", "status": 417, "detail": message}),
    }
    for accept, (form, expected) in forms.items():
        fields = ("Host: h", "Expect: <b>", "Content-Length: 2", f"Accept: {accept}", "Connection: close")
        lines = "\r\n".join((f"{target} HTTP/1.1", *fields, "", "[]"))
        head, _, body = (await _raw(replicas[0], lines.encode())).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 417 ")
        assert b"\r\nx-request-id: " in head
        assert f"\r\nContent-Type: {form}".encode() in head
        assert expected.items() <= json.loads(body).items()


async def test_http_1_0_has_no_expectations(caller: Caller, replicas: list[Replica]) -> None:
    lines = _head(caller, "Expect: 100-continue", "Content-Length: 2").replace(b"HTTP/1.1", b"HTTP/1.0")
    assert (await _raw(replicas[0], lines, b"[]")).startswith(b"HTTP/1.0 400 ")


async def test_a_slow_body_is_refused_in_time(caller: Caller, replicas: list[Replica]) -> None:
    reply = await _raw(replicas[0], _head(caller, "Content-Length: 100"), b"[")
    assert b" 408 " in reply.partition(b"\r\n")[0]
    assert b"The request body did not arrive in time" in reply


async def test_slow_headers_end_with_the_connection(replicas: list[Replica]) -> None:
    began = time.monotonic()
    assert await _raw(replicas[0], b"POST / HTTP/1.1\r\nHost: h\r\nX-A: ") == b""
    assert time.monotonic() - began < 10


async def test_chunks_that_lie_about_their_length_are_refused(caller: Caller, replicas: list[Replica]) -> None:
    reply = await _raw(replicas[0], _head(caller, "Transfer-Encoding: chunked"), b"5\r\nabcdefghij\r\n0\r\n\r\n")
    # Depending on when the bad chunk is seen, it spoils the body, or none comes in time.
    assert reply.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))


async def test_the_body_is_asked_for_only_when_the_key_holds(caller: Caller, replicas: list[Replica]) -> None:
    expecting = ("Expect: 100-continue", "Content-Length: 2", "Connection: close")
    accepted = await _raw(replicas[0], _head(caller, *expecting), b"[]")
    assert accepted.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 ")
    refused = await _raw(replicas[0], _head(caller.using("x"), *expecting))
    assert refused.startswith(b"HTTP/1.1 401 ")


async def test_no_log_line_holds_a_secret(caller: Caller, replicas: list[Replica]) -> None:
    await caller.call("POST", f"{SUBMIT}?token=hidden", images(1), Idempotency_Key="hidden-too")
    text = replicas[0].output.read_text()
    assert caller.key
    assert caller.key[-43:] not in text
    assert "hidden" not in text
    assert '"key_id"' in text
