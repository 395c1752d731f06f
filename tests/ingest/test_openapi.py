"""The served description says what the endpoint does."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.openapi import document
from services.ingest.request_headers import PROBLEM
from services.ingest.validation import InvalidBodyError, read_images
from tests.ingest.calling import ITEM, SUBMIT, Answer, Caller, images
from tests.ingest.others import Others

DOCUMENT = document()
READS = {
    "/inference/{inference_id}/status": "application/json",
    "/inference/{inference_id}/results": "application/json",
    "/inferences": "application/json",
}
VALUES = st.one_of(
    st.sampled_from(["https://a.example/", "#FFF", "#ffffff", "Shoes", "\u2028a", "x" * 257, " ", "ftp://a/"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.none(),
    st.integers(),
)


def validator(schema: dict[str, Any]) -> jsonschema.protocols.Validator:
    return jsonschema.Draft202012Validator(schema | {"components": DOCUMENT["components"]})


def reply_schema(path: str, method: str, answer: Answer) -> dict[str, Any]:
    """Find the schema of a reply; a status or form that is not described is an error."""
    replies = DOCUMENT["paths"][path][method]["responses"]
    form = answer.headers["Content-Type"].partition(";")[0]
    schema: dict[str, Any] = replies[str(answer.status)]["content"][form]["schema"]
    return schema


def test_every_reference_leads_somewhere() -> None:
    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    found = references(DOCUMENT)
    assert len(found) > 10
    for reference in found:
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_operation_describes_the_expectation_that_is_refused() -> None:
    for operation in (each for path in DOCUMENT["paths"].values() for each in path.values()):
        assert set(operation["responses"]["417"]["content"]) == {"application/json", PROBLEM}


def test_paths_in_buckets_are_described_where_they_are_read() -> None:
    named = document(reads_buckets=True)["components"]["schemas"]["RequestedImage"]
    plain = DOCUMENT["components"]["schemas"]["RequestedImage"]
    for path, everywhere in (
        ("https://a.example/a.png", True),
        ("s3://shop/a b.png", False),
        ("gs://shop/a.png", False),
    ):
        item = ITEM | {"image_path": path}
        assert jsonschema.Draft202012Validator(named).is_valid(item)
        assert jsonschema.Draft202012Validator(plain).is_valid(item) == everywhere
    for path in ("file:///etc/passwd", "s3://shop", "ftp://a.example/a.png"):
        assert not jsonschema.Draft202012Validator(named).is_valid(ITEM | {"image_path": path})


@settings(max_examples=300)
@given(item=st.dictionaries(st.sampled_from([*ITEM, "custom_id", "more"]), VALUES))
def test_what_is_refused_does_not_fit_the_description(item: dict[str, object]) -> None:
    body = [ITEM | item]
    schema = DOCUMENT["paths"][SUBMIT]["post"]["requestBody"]["content"]["application/json"]["schema"]
    try:
        read_images(json.dumps(body).encode())
    except InvalidBodyError:
        assert not validator(schema).is_valid(body)


@pytest.mark.system
async def test_replies_are_as_described(caller: Caller, others: Others, issued: dict[str, str]) -> None:
    accepted = await caller.submit(images(2), Idempotency_Key="described")
    inference_id = accepted.body["inference_id"]
    await others.classify(inference_id, [0])
    answers = [("post", SUBMIT, accepted)]
    for key in (str(caller.key), issued["0"], issued["expired"], issued["submitter"]):
        for path in READS:
            for accept in ("*/*", "application/problem+json"):
                answer = await caller.using(key).get(path.format(inference_id=inference_id), Accept=accept)
                answers.append(("get", path, answer))
    for body, headers in (
        (b"{", {}),
        ([ITEM, 5, {}], {"Accept": "application/problem+json"}),
        ([], {"Content_Encoding": "gzip"}),
        (images(3), {"Idempotency_Key": "described"}),
    ):
        answers.append(("post", SUBMIT, await caller.submit(body, **headers)))
    await others.finish(inference_id)
    answers.append(("post", SUBMIT, await caller.submit(images(2), Idempotency_Key="described", Prefer="wait=10")))
    assert "results" in answers[-1][2].body
    assert {answer.status for _, _, answer in answers} == {200, 400, 401, 403, 404, 415, 422}
    for method, path, answer in answers:
        validator(reply_schema(path, method, answer)).validate(answer.body)


@pytest.mark.system
async def test_the_description_is_served_to_everyone(caller: Caller) -> None:
    assert (await caller.using(None).get("/openapi.json")).body == DOCUMENT
