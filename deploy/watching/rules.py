"""The rules as Prometheus reads them: recordings and alerts, in groups."""

from collections.abc import Iterable
from typing import Any

from deploy.watching.alerts import Alert, alerts
from deploy.watching.objectives import Recording, is_slow, recordings
from deploy.watching.pace import PRODUCTION, Pace

RUNBOOKS = "docs/runbooks"

Group = dict[str, Any]


def groups(pace: Pace = PRODUCTION) -> list[Group]:
    """All groups; what looks back over days is evaluated once a minute."""
    recorded = list(recordings(pace))
    slow = {"interval": pace.window("1m") if pace == PRODUCTION else "1s"}
    return [
        {"name": "huestream-objectives", "rules": _recorded(one for one in recorded if not is_slow(one))},
        {"name": "huestream-objectives-over-days", **slow, "rules": _recorded(filter(is_slow, recorded))},
        {"name": "huestream-alerts", "rules": [_alert(one, pace) for one in alerts(pace)]},
    ]


def _recorded(recorded: Iterable[Recording]) -> list[dict[str, Any]]:
    return [{"record": one.record, "expr": one.expression, "labels": {"slo": one.slo}} for one in recorded]


def _alert(alert: Alert, pace: Pace) -> dict[str, Any]:
    keeps = {"keep_firing_for": pace.window(alert.keeps)} if alert.keeps else {}
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": pace.window(alert.lasts),
        **keeps,
        "labels": {"severity": alert.severity, **alert.labels},
        "annotations": {
            "summary": alert.summary,
            "description": alert.cause,
            "runbook_url": f"{RUNBOOKS}/{alert.name}.md",
        },
    }


def prometheus_rule() -> dict[str, Any]:
    """The same rules as an object of the Prometheus operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "huestream"},
        "spec": {"groups": groups()},
    }
