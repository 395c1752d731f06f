"""The rules do what they say: tried by promtool, an alert fires in its case, alone, and not in a near miss."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.watching.alerts import Alert, alerts
from deploy.watching.files import RULES, yaml_text
from deploy.watching.objectives import OBJECTIVES, WINDOWS
from deploy.watching.pace import PRODUCTION, Pace, seconds_of
from deploy.watching.rules import groups
from tests.deploy.manifests import ROOT
from tests.deploy.watching.alert_cases import BUDGETS, CASES, QUIET, Case

PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
ALERTS = alerts(PRODUCTION)
THRIFTY = os.environ | {"GOGC": "400"}
"""Go then collects its garbage less often: a third of the processor's time, for 150 MB."""
FIRING = 'count by (alertname, severity) (ALERTS{alertstate="firing",alertname!="Watchdog"})'


def tool(name: str, *words: str) -> str:
    """Run a tool of Prometheus; skips by name where there is none."""
    if not shutil.which(name):
        pytest.skip(f"NO {name.upper()}, THE RULES WERE NOT TRIED: install Debian's prometheus prometheus-alertmanager")
    done = subprocess.run([name, *words], capture_output=True, text=True, timeout=120, check=False, env=THRIFTY)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_of(case: Case) -> dict[str, Any]:
    """One test as promtool reads it; where it fails, it shows the expression, and with it the case."""
    name = f"{case.of[0]}: {case.what}"
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in (QUIET | case.series).items()],
        "promql_expr_test": [
            {"expr": f"{FIRING} # {name}", "eval_time": at, "exp_samples": [sample(*one) for one in sorted(fired)]}
            for at, fired in case.firing.items()
        ],
    }


test_of.__test__ = False  # type: ignore[attr-defined]


def sample(name: str, severity: str) -> Mapping[str, Any]:
    return {"labels": f'{{alertname="{name}",severity="{severity}"}}', "value": 1}


@pytest.mark.parametrize("evaluated", sorted({case.evaluated for case in CASES}))
def test_what_fires_and_what_does_not(evaluated: str, tmp_path: Path) -> None:
    """All cases of one distance between evaluations are one run of promtool, which says each that is not as told."""
    rules = PROMETHEUS / RULES
    tests = {
        "rule_files": [str(rules)],
        "evaluation_interval": evaluated,
        "group_eval_order": [group["name"] for group in groups()],  # what is recorded, then what is asked of it
        "tests": [test_of(case) for case in CASES if case.evaluated == evaluated],
    }
    file = tmp_path / "tests.yml"
    file.write_text(yaml_text(tests))
    assert "SUCCESS" in tool("promtool", "test", "rules", str(file))


def test_every_alert_has_a_case_in_which_it_fires_and_a_near_miss() -> None:
    wanted = {(alert.name, alert.severity) for alert in ALERTS if alert.name != "Watchdog"}
    assert {case.of for case in CASES if any(case.of in fired for fired in case.firing.values())} == wanted
    missed = {case.of for case in CASES if not any(case.of in fired for fired in case.firing.values())}
    assert missed == wanted


def test_the_budgets_of_the_cases_are_those_of_the_objectives() -> None:
    assert {one.name.capitalize(): round(1 - one.objective, 6) for one in OBJECTIVES} == BUDGETS


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_every_alert_says_what_happened_and_where_to_read_on(alert: Alert) -> None:
    assert alert.severity in {"page", "ticket", "none"}
    assert len(alert.summary) > 20
    assert alert.cause.endswith(".")
    page = (RUNBOOKS / f"{alert.name}.md").read_text()
    assert page.startswith(f"# {alert.name}\n")
    assert all(f"## {heading}" in page for heading in ("What it means", "What to do", "How it is counted")), alert.name


def test_there_is_no_runbook_without_its_alert() -> None:
    named = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert named == {alert.name for alert in ALERTS}
    listed = re.findall(r"\]\((\w+)\.md\)", (RUNBOOKS / "README.md").read_text())
    assert sorted(set(listed)) == sorted(named)


def test_prometheus_and_alertmanager_accept_their_files() -> None:
    assert "SUCCESS" in tool("promtool", "check", "config", str(PROMETHEUS / "prometheus.yml"))
    assert "SUCCESS" in tool("promtool", "check", "rules", str(PROMETHEUS / RULES))
    assert "SUCCESS" in tool("amtool", "check-config", str(PROMETHEUS / "alertmanager.yml"))


def test_an_alert_that_pages_goes_to_the_pager_and_the_dead_mans_to_its_own_receiver() -> None:
    config = str(PROMETHEUS / "alertmanager.yml")
    for alert in ALERTS:
        labels = [f"alertname={alert.name}", f"severity={alert.severity}"]
        expected = "watchdog" if alert.name == "Watchdog" else alert.severity
        assert tool("amtool", "config", "routes", "test", f"--config.file={config}", *labels).strip() == expected


def test_a_faster_pace_divides_every_duration_and_changes_nothing_else() -> None:
    """What `make observe` sees is what production has, with minutes that last a second."""
    normal, fast = yaml_text(groups()), yaml_text(groups(Pace(60)))
    duration = re.compile(r"(?<=\[)\w+(?=\])|(?<=for: )\w+")
    seconds = [seconds_of(one) for one in duration.findall(normal)]
    milliseconds = [
        int(one.removesuffix("ms").removesuffix("s") + ("000" if one == "0s" else "")) for one in duration.findall(fast)
    ]
    assert [one * 1000 // 60 for one in seconds] == milliseconds
    assert len(seconds) > 100
    names = [[rule.get("alert") or rule["record"] for rule in group["rules"]] for group in groups()]
    assert names == [[rule.get("alert") or rule["record"] for rule in group["rules"]] for group in groups(Pace(60))]


def test_objectives_are_recorded_over_all_windows() -> None:
    recorded = {rule["record"] for group in groups() for rule in group["rules"] if "record" in rule}
    assert {f"slo:sli_error:ratio_rate{window}" for window in WINDOWS} <= recorded
    assert yaml.safe_load((PROMETHEUS / RULES).read_text()) == {"groups": groups()}
