"""The configuration of Prometheus and of Alertmanager, for docker-compose.yml and for a run on one machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.watching.alerts import JOBS

METRICS_PORT: Final = 9464
_PAGE: Final = 'severity="page"'
_TICKET: Final = 'severity="ticket"'


@dataclass(frozen=True)
class Times:
    """How often is scraped and evaluated, and how long notifications are gathered."""

    scrape: str = "15s"
    evaluation: str = "15s"
    group_wait: str = "30s"
    group_interval: str = "5m"
    repeat_interval: str = "4h"


def prometheus(
    targets: Mapping[str, Mapping[str, Any]], alertmanager: str, rules: Sequence[str], times: Times
) -> dict[str, Any]:
    """Scrape jobs by their names; each job's content says how its targets are found."""
    return {
        "global": {
            "scrape_interval": times.scrape,
            "scrape_timeout": times.scrape,
            "evaluation_interval": times.evaluation,
        },
        "rule_files": list(rules),
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{"job_name": name, **found} for name, found in targets.items()],
    }


def found_by_name() -> dict[str, dict[str, Any]]:
    """In docker-compose.yml each service's containers are the addresses of its name, however many there are."""
    return {
        job: {
            "dns_sd_configs": [
                {
                    "names": [job.removeprefix("huestream-")],
                    "type": "A",
                    "port": METRICS_PORT,
                    "refresh_interval": "10s",
                }
            ]
        }
        for job in JOBS
    }


def found_at(addresses: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Targets at fixed addresses, by job."""
    return {job: {"static_configs": [{"targets": list(targets)}]} for job, targets in addresses.items()}


def alertmanager(receivers: Mapping[str, Mapping[str, Any]], times: Times) -> dict[str, Any]:
    """Route pages and tickets to the receivers `page` and `ticket`; the consequence is silent while its cause fires."""
    return {
        "route": {
            "receiver": "ticket",
            "group_by": ["alertname", "slo", "job", "group"],
            "group_wait": times.group_wait,
            "group_interval": times.group_interval,
            "repeat_interval": times.repeat_interval,
            "routes": [
                {"receiver": "watchdog", "matchers": ['alertname="Watchdog"']},
                {"receiver": "page", "matchers": [_PAGE]},
            ],
        },
        "inhibit_rules": [
            {"source_matchers": [_PAGE], "target_matchers": [_TICKET], "equal": ["alertname", "slo"]},
            {
                "source_matchers": ['alertname="ServiceDown"'],
                "target_matchers": ['alertname="TargetDown"'],
                "equal": ["job"],
            },
            {
                "source_matchers": ['alertname="KafkaUnreachable"'],
                "target_matchers": ['alertname=~"ConsumerLagGrowing|GroupWithoutMembers|NotReady|Restarting"'],
            },
        ],
        "receivers": [{"name": name, **receivers.get(name, {})} for name in ("ticket", "page", "watchdog")],
    }
