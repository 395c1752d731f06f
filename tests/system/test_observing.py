"""A run that a real Prometheus watches: `make observe`, shortened. Every expression has data; the right alerts fire."""

import asyncio
from pathlib import Path

import pytest

from deploy.observing.prometheus import missing_tools
from deploy.observing.running import Outcome, Plan, observe
from services.local.folders import user_data_folder
from services.local.kafka.problems import DownloadError
from tests.kafka_fixtures import put_formatted

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, told: list[str]) -> Outcome:
    if missing := missing_tools():
        pytest.skip(f"NO {' AND '.join(missing).upper()}, NOTHING WAS WATCHED: Debian has both")
    folder: Path = tmp_path_factory.mktemp("observed")
    try:
        put_formatted(folder / "kafka-1")
        return asyncio.run(observe(folder, user_data_folder() / "jars", Plan(short=True), told.append))
    except DownloadError as error:
        pytest.skip(f"NO REAL KAFKA, NOTHING WAS WATCHED: {error}")


def test_every_expression_of_dashboards_and_alerts_is_answered_by_what_runs(outcome: Outcome) -> None:
    assert outcome.checked.wrong == []
    assert outcome.checked.panels > 80
    assert outcome.checked.selections > 60
    assert outcome.statuses[200] > 20


def test_the_right_alerts_fire_and_clear_and_no_other_does(outcome: Outcome, told: list[str]) -> None:
    [seen] = outcome.tried
    assert seen.wrong() == [], told
    assert {("ImageHostsFailing", "ticket"), ("MailServerAway", "page")} <= set(seen.fired)
