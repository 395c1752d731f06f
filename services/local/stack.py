"""Which processes make the whole system on one machine, and with which settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.rights import User
from services.local.access import Access
from services.local.kept_secrets import kept_secret
from services.local.ports import HOST, free_ports
from services.local.supervisor import Program, python_command
from services.runtime.environment import environment_with

DRAIN_SECONDS: Final = 3.0
_GATHER_SECONDS: Final = "5"


@dataclass(frozen=True)
class Options:
    """What `huestream local` was asked for; port 0 means any free one."""

    data: Path
    brokers: int = 1
    classifiers: int = 1
    port: int = 0
    kafka_port: int = 0
    smtp_port: int = 0
    mail_page_port: int = 0
    allow_networks: tuple[str, ...] = ()
    ready_file: Path | None = None
    secure: bool = False
    traces: str | None = None


@dataclass(frozen=True)
class Layout:
    """Where everything of one run is to be found."""

    data: Path
    endpoint_port: int
    smtp_port: int
    mail_page_port: int
    kafka_ports: Sequence[tuple[int, int]]
    """For each broker the port of its clients and that of its controller."""
    metrics_ports: Mapping[str, int]

    @property
    def endpoint(self) -> str:
        """URL of the HTTP endpoint."""
        return f"http://{HOST}:{self.endpoint_port}"

    @property
    def mail_page(self) -> str:
        """URL of the page that lists the mails."""
        return f"http://{HOST}:{self.mail_page_port}/"

    @property
    def mail_dir(self) -> Path:
        """Folder of the mails that were sent."""
        return self.data / "mails"

    @property
    def report_dir(self) -> Path:
        """Folder of the finished reports."""
        return self.data / "reports"

    def metrics(self) -> dict[str, str]:
        """URL of the metrics of each service process."""
        return {name: f"http://{HOST}:{port}/metrics" for name, port in self.metrics_ports.items()}


def lay_out(options: Options) -> Layout:
    """Choose all ports and folders of a run."""
    names = ["ingest", "reporter", *_classifier_names(options.classifiers)]
    kafka = [options.kafka_port + offset if options.kafka_port else 0 for offset in range(options.brokers)]
    asked = [options.port, options.smtp_port, options.mail_page_port, *kafka]
    ports = free_ports([*asked, *(0 for _ in kafka), *(0 for _ in names)])
    controllers = len(asked)
    metrics = controllers + len(kafka)
    return Layout(
        data=options.data,
        endpoint_port=ports[0],
        smtp_port=ports[1],
        mail_page_port=ports[2],
        kafka_ports=tuple(zip(ports[3:controllers], ports[controllers:metrics], strict=True)),
        metrics_ports=dict(zip(names, ports[metrics:], strict=True)),
    )


def _classifier_names(count: int) -> list[str]:
    return ["classifier", *(f"classifier-{number}" for number in range(2, count + 1))]


def mailbox(layout: Layout) -> Program:
    """The SMTP server that keeps every mail as a file."""
    command = python_command(
        "services.local.mailbox",
        *("--host", HOST, "--smtp-port", str(layout.smtp_port), "--http-port", str(layout.mail_page_port)),
        *("--folder", str(layout.mail_dir)),
    )
    return Program("mailbox", "mailbox", command, _log(layout, "mailbox"))


def services(layout: Layout, options: Options, access: Access) -> list[Program]:
    """One of each service, and as many classifiers as were asked for."""
    traces = {"OTLP_ENDPOINT": options.traces, "TRACE_SAMPLING": "1"} if options.traces else {}
    return [
        _service("ingest", "ingest", layout, access, traces | _endpoint_settings(layout)),
        *(
            _service("classifier", name, layout, access, traces | {"ALLOW_NETWORKS": _networks(options)})
            for name in _classifier_names(options.classifiers)
        ),
        _service("reporter", "reporter", layout, access, traces | _mail_settings(layout)),
    ]


def _endpoint_settings(layout: Layout) -> dict[str, str]:
    return {"HOST": HOST, "PORT": str(layout.endpoint_port), "GATHER_WINDOW_SECONDS": _GATHER_SECONDS}


def _networks(options: Options) -> str:
    """This machine itself serves the example of Try It!, and files that `huestream submit` sends."""
    return ",".join((f"{HOST}/32", *options.allow_networks))


def _mail_settings(layout: Layout) -> dict[str, str]:
    return {
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(layout.smtp_port),
        "SMTP_TLS": "none",
        "MAIL_FROM": "huestream@localhost.localdomain",
        "PUBLIC_URL": layout.endpoint,
        "WEBHOOK_SECRET": kept_secret(layout.data, "webhook-secret"),
        "ALLOW_NETWORKS": f"{HOST}/32",
        "STATE_DIR": str(layout.data / "state"),
    }


def _service(service: User, name: str, layout: Layout, access: Access, settings: Mapping[str, str]) -> Program:
    shared = access.settings(service) | {
        "ENVIRONMENT": "development",
        "TOPIC_REPLICAS": str(len(layout.kafka_ports)),
        "METRICS_HOST": HOST,
        "METRICS_PORT": str(layout.metrics_ports[name]),
        "REPORT_STORE": str(layout.report_dir),
        "LINK_SECRET": kept_secret(layout.data, "link-secret"),
        "DRAIN_TIMEOUT_SECONDS": f"{DRAIN_SECONDS:g}",
    }
    ours = {f"HUESTREAM_{key}": value for key, value in (shared | dict(settings)).items()}
    command = python_command("services", service)
    return Program(service, name, command, _log(layout, name), environment_with(ours))


def _log(layout: Layout, name: str) -> Path:
    return layout.data / "logs" / f"{name}.log"
