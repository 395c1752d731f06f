"""Every dashboard keeps the rules of Grafana's own dashboard linter, and is written from the declarations."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploy.watching.dashboards import DASHBOARDS
from deploy.watching.expressions import selectors
from deploy.watching.files import DASHBOARD_FOLDER, files
from deploy.watching.grafana import DATASOURCE
from deploy.watching.vocabulary import metrics_of_code, series_of_code
from tests.deploy.manifests import ROOT

DEPLOY = ROOT / "deploy"
PAGES = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
WIDTH = 24

Json = dict[str, Any]


def read(name: str) -> Json:
    found: Json = json.loads((DEPLOY / "grafana" / "dashboards" / f"{name}.json").read_text())
    return found


def panels(page: Json) -> list[Json]:
    return [panel for panel in page["panels"] if panel["type"] != "row"]


def targets(page: Json) -> Iterator[tuple[Json, Json]]:
    for panel in panels(page):
        for target in panel["targets"]:
            yield panel, target


@pytest.mark.parametrize("name", sorted(files()))
def test_files_are_what_the_declarations_make(name: str) -> None:
    assert (DEPLOY / name).read_text() == files()[name], "run: make dashboards"


def test_nothing_else_lies_beside_them() -> None:
    made = {DEPLOY / name for name in files()}
    lying = {path for folder in ("grafana", "prometheus") for path in (DEPLOY / folder).rglob("*") if path.is_file()}
    assert {path.name for path in lying - made} <= {"kustomization.yaml"}


def test_there_are_the_five_that_operators_were_promised() -> None:
    assert [page.stem for page in PAGES] == sorted(dashboard.uid for dashboard in DASHBOARDS)
    assert len(PAGES) == 5


UIDS = [dashboard.uid for dashboard in DASHBOARDS]


@pytest.mark.parametrize("uid", UIDS)
def test_a_page_is_read_only_names_itself_and_takes_its_data_from_a_variable(uid: str) -> None:
    page = read(uid)
    assert page["editable"] is False
    assert page["uid"] == uid
    assert page["title"].startswith("huestream / ")
    assert page["description"].endswith(".")
    assert page["tags"] == ["huestream"]
    [variable] = page["templating"]["list"]
    assert (variable["type"], variable["name"], variable["query"]) == ("datasource", "datasource", "prometheus")


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_has_a_number_a_title_a_description_a_unit_and_the_pages_data(uid: str) -> None:
    page = read(uid)
    numbers = [panel["id"] for panel in page["panels"]]
    assert sorted(set(numbers)) == numbers
    assert numbers[0] > 0
    titles = [panel["title"] for panel in panels(page) if panel["title"] != "Budget left"]  # one below each objective
    assert len(set(titles)) == len(titles)
    for panel in panels(page):
        assert panel["title"], panel["id"]
        assert len(panel["description"]) >= 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"], panel["title"]


@pytest.mark.parametrize("uid", UIDS)
def test_panels_lie_side_by_side_and_no_two_on_each_other(uid: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in read(uid)["panels"]:
        grid = panel["gridPos"]
        cells = {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < WIDTH, panel["title"]
        taken |= cells


@pytest.mark.parametrize("uid", UIDS)
def test_rows_are_as_wide_as_the_page(uid: str) -> None:
    widths: dict[int, int] = {}
    for panel in read(uid)["panels"]:
        widths[panel["gridPos"]["y"]] = widths.get(panel["gridPos"]["y"], 0) + panel["gridPos"]["w"]
    assert set(widths.values()) == {WIDTH}


@pytest.mark.parametrize("uid", UIDS)
def test_every_expression_parses_and_counters_stand_under_rate_or_increase_only(uid: str) -> None:
    for panel, target in targets(read(uid)):
        found = selectors(target["expr"])
        assert found, panel["title"]
        for selector in found:
            metric = metrics_of_code().get(series_of_code().get(selector.name, ""))
            counts = selector.name.endswith("_total") or (metric is not None and metric.type == "histogram")
            inner = selector.functions[-1] if selector.functions else ""
            assert (inner in {"rate", "increase"}) == counts, f"{panel['title']}: {selector.name}"


@pytest.mark.parametrize("uid", UIDS)
def test_rates_are_over_grafanas_own_interval(uid: str) -> None:
    for panel, target in targets(read(uid)):
        pieces = target["expr"].split("rate(")[1:]
        assert all("[$__rate_interval]" in piece.split(")")[0] for piece in pieces), panel["title"]


@pytest.mark.parametrize("uid", UIDS)
def test_several_series_are_told_apart_by_their_names(uid: str) -> None:
    for panel in panels(read(uid)):
        legends = [target["legendFormat"] for target in panel["targets"]]
        assert len(set(legends)) == len(legends), panel["title"]
        assert all(legend != "__auto" for legend in legends), panel["title"]
        assert [target["refId"] for target in panel["targets"]] == sorted({t["refId"] for t in panel["targets"]})


def test_points_lead_to_traces() -> None:
    asked = [target.get("exemplar") for _, target in targets(read("huestream-overview"))]
    assert any(asked)
    [source] = json_of("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["uid"] == DATASOURCE
    assert source["jsonData"]["exemplarTraceIdDestinations"] == [
        {"name": "trace_id", "datasourceUid": "huestream-traces"}
    ]


def test_grafana_finds_the_pages_and_lets_nobody_change_them() -> None:
    [provider] = json_of("grafana/provisioning/dashboards/huestream.yml")["providers"]
    assert provider["options"] == {"path": DASHBOARD_FOLDER}
    assert (provider["allowUiUpdates"], provider["disableDeletion"]) == (False, True)


def json_of(name: str) -> Json:
    found: Json = yaml.safe_load((DEPLOY / name).read_text())
    return found
