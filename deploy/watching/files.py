"""Every file that is written from the declarations, by its path below deploy/."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import yaml

from deploy.watching.dashboards import DASHBOARDS
from deploy.watching.grafana import dashboard_json, dashboard_provider, datasources
from deploy.watching.rules import groups, prometheus_rule
from deploy.watching.scraping import Times, alertmanager, found_by_name, prometheus

HEAD: Final = "# Made by `make dashboards` from deploy/watching; a test compares.\n"
RULES: Final = "rules/huestream.yml"
DASHBOARD_FOLDER: Final = "/etc/huestream/dashboards"


def yaml_text(content: Any) -> str:
    """Write YAML in the order given, long expressions unbroken."""
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100_000)
    return text


@cache
def files() -> Mapping[str, str]:
    """All files with their content."""
    return {
        **{f"grafana/dashboards/{one.uid}.json": dashboard_json(one) for one in DASHBOARDS},
        "grafana/provisioning/datasources/prometheus.yml": HEAD + yaml_text(datasources("http://prometheus:9090")),
        "grafana/provisioning/dashboards/huestream.yml": HEAD + yaml_text(dashboard_provider(DASHBOARD_FOLDER)),
        f"prometheus/{RULES}": HEAD + yaml_text({"groups": groups()}),
        "prometheus/prometheus.yml": HEAD + yaml_text(_composed_prometheus()),
        "prometheus/alertmanager.yml": HEAD + yaml_text(alertmanager(_mailed(), Times())),
        "k8s/components/monitoring/rules.yaml": HEAD + yaml_text(prometheus_rule()),
    }


def _composed_prometheus() -> dict[str, Any]:
    return prometheus(found_by_name(), "alertmanager:9093", [RULES], Times())


def _mailed() -> dict[str, dict[str, Any]]:
    """In docker-compose.yml pages and tickets are mails that mailpit catches."""

    def mail(name: str) -> dict[str, Any]:
        return {
            "email_configs": [
                {
                    "to": f"{name}@huestream.example",
                    "from": "alertmanager@huestream.example",
                    "smarthost": "mailpit:1025",
                    "require_tls": False,
                    "send_resolved": True,
                }
            ]
        }

    return {"page": mail("page"), "ticket": mail("ticket")}
