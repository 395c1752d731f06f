"""Whatever is asked, also what breaks the served description: no fault of ours, no reply that is not described."""

import asyncio
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks as openapi_checks

from tests.ingest.calling import Caller, images
from tests.ingest.others import others_of
from tests.ingest.replicas import Replica, replica
from tests.ingest.test_results import submitted, wait_for_answer
from tests.kafka_fixtures import RunningKafka
from tests.shared_data import shared

pytestmark = pytest.mark.system

CASES, CASES_WITH_A_BODY = 375, 200
"""For each operation, half of them to break its description; a batch takes the generator ten times as long."""
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
UNLIMITED = {f"{name}_per_minute": 10**9 for name in ("requests", "images", "reads", "failures")}


@pytest.fixture(scope="module")
def alone(kafka: RunningKafka, issued: dict[str, str], report_store: Path) -> Iterator[Replica]:
    """A replica that refuses nobody for asking too often."""
    assert issued
    with replica(kafka.bootstrap, report_store, **UNLIMITED) as running:
        yield running


@pytest.fixture(scope="module")
def known(kafka: RunningKafka, alone: Replica, issued: dict[str, str], report_store: Path) -> list[str]:
    """Batches that have ended, and one that has begun."""

    async def make() -> list[str]:
        async with aiohttp.ClientSession() as session, others_of(kafka.bootstrap, report_store) as others:
            caller = Caller(session, [alone.url], issued["described"])
            ids = [await submitted(caller, count) for count in (1, 3, 2)]
            await others.finish(ids[0])
            await others.finish(ids[1], reason="canceled")
            await others.classify(ids[2], [1])
            for inference_id in ids[:2]:
                await wait_for_answer(caller, f"/inference/{inference_id}/status", status="completed")
            assert (await caller.submit(images(1))).status == 200
            return ids

    return asyncio.run(make())


def cases(operation: APIOperation, known: list[str]) -> st.SearchStrategy[schemathesis.Case]:
    """Cases that fit the description and such that do not, for known batches and others."""

    def of_a_known_one(case: schemathesis.Case, inference_id: str | None) -> schemathesis.Case:
        if inference_id is not None and "inference_id" in case.path_parameters:
            case.path_parameters["inference_id"] = inference_id
        return case

    # A stream of a batch that has not ended would go on.
    ids = known[:2] if operation.path.endswith("/events") else known
    return st.builds(
        of_a_known_one,
        st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode)),
        st.none() | st.sampled_from(ids),
    )


def test_two_thousand_requests_find_no_reply_that_is_not_described(
    alone: Replica, known: list[str], issued: dict[str, str]
) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    schema = schemathesis.openapi.from_url(f"{alone.url}/openapi.json")
    keys = [issued["described"]] * 8 + [issued["reader"], issued["submitter"], issued["expired"], "x"]

    session = requests.Session()
    session.trust_env = False  # else each request looks for proxies and passwords of this machine

    def call(case: schemathesis.Case, key: str) -> None:
        response = case.call(session=session, headers={"x-vody-api-key": key}, timeout=10)
        seen[case.operation.label, response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    for found in schema.get_all_operations():
        run = given(case=cases(found.ok(), known), key=st.sampled_from(keys))(call)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the generator; the replies are what is tested
            count = CASES_WITH_A_BODY if found.ok().method == "post" else CASES
            seed(5)(settings(max_examples=count, **_SETTINGS)(run))()
    assert sum(seen.values()) >= 2000
    assert {status for _, status in seen} >= {200, 202, 400, 401, 403, 404, 409}, seen


async def test_the_json_test_suite_ends_as_labeled(alone: Replica, issued: dict[str, str]) -> None:
    documents = sorted(shared("hostile", "json-test-suite").glob("*.json"))
    assert len(documents) > 300
    async with aiohttp.ClientSession() as session:
        caller = Caller(session, [alone.url], issued["described"])
        for path in documents:
            answer = await caller.submit(path.read_bytes())
            assert answer.status == 400, path.name
            refused = answer.body["message"].startswith("Invalid data. The request body is not valid JSON")
            if path.name[:2] in {"y_", "n_"}:
                assert refused == path.name.startswith("n_"), path.name


_SETTINGS = {
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
    "database": None,
}
