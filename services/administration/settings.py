"""`huestream settings`: the reference of all settings, and the refusal of variables that are none."""

import argparse
import difflib
import os
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic.fields import FieldInfo

from services.administration.connecting import say
from services.classifier.settings import ClassifierSettings
from services.ingest.settings import IngestSettings
from services.reporter.settings import ReporterSettings
from services.runtime.environment import PREFIX
from services.runtime.secret_files import SUFFIX, is_secret
from services.runtime.settings import KafkaSettings, ServiceSettings, SettingsError, plain, variable

SERVICES: Final[Mapping[str, type[ServiceSettings]]] = {
    "ingest": IngestSettings,
    "classifier": ClassifierSettings,
    "reporter": ReporterSettings,
}
CLIENT_VARIABLES: Final = {
    "HUESTREAM_API_KEY": "API key of `huestream submit`",
    "HUESTREAM_ENDPOINT": "where `huestream submit` finds huestream (default: `http://127.0.0.1:8080`)",
    "HUESTREAM_TEST_EXAMPLES": "how many examples the longest tests try (default: a few)",
    "HUESTREAM_TEST_DATA": "folder of the tests' Kafka jars and containers (default: the user's data folder)",
}
_HEAD: Final = """\
# Settings

Made by `huestream settings`; a test compares. Every setting is an environment variable. A variable that begins with
`HUESTREAM_` and is not listed here ends the start, as does one that is wrong, in one sentence that names it.

A secret may also stand in a file: `HUESTREAM_SMTP_PASSWORD_FILE` names the file that holds `HUESTREAM_SMTP_PASSWORD`.
Line ends at the file's end do not count; setting both is refused.

The store of the reports is opened with the variables of its own kind (`AWS_…`, `GOOGLE_…`, `AZURE_…`).
"""


def configure(_: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(_: argparse.Namespace) -> int:
    """Write the reference, in Markdown; returns the exit status."""
    say(reference().rstrip("\n"))
    return 0


def reference() -> str:
    """Describe every setting of every service, in Markdown."""
    shared = ServiceSettings.model_fields
    parts = [
        _HEAD,
        _part("Connection to Kafka: all services, and all commands that talk to Kafka", KafkaSettings.model_fields),
        _part("All services", _without(shared, KafkaSettings.model_fields)),
        *(_part(name, _without(kind.model_fields, shared)) for name, kind in SERVICES.items()),
        _table("Not of the services", [(name, text, "") for name, text in CLIENT_VARIABLES.items()]),
    ]
    return "\n".join(parts)


def known_variables() -> frozenset[str]:
    """Name every variable that anything of ours reads."""
    fields = {name: field for kind in SERVICES.values() for name, field in kind.model_fields.items()}
    files = {variable(name) + SUFFIX for name, field in fields.items() if is_secret(field)}
    return frozenset({variable(name) for name in fields} | files | set(CLIENT_VARIABLES))


def refuse_unknown(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `SettingsError` for the first variable with our prefix that nothing reads: it was meant to do something."""
    known = known_variables()
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            bare = sorted(other.removeprefix(PREFIX) for other in known)
            close = difflib.get_close_matches(name.removeprefix(PREFIX), bare, n=1, cutoff=0.75)
            advice = f"did you mean {PREFIX}{close[0]}?" if close else "see: huestream settings"
            raise SettingsError(f"{name} is no setting; {advice}")


def _without(fields: Mapping[str, FieldInfo], others: Iterable[str]) -> dict[str, FieldInfo]:
    return {name: field for name, field in fields.items() if name not in set(others)}


def _part(title: str, fields: Mapping[str, FieldInfo]) -> str:
    return _table(
        title, [(_names(name, field), field.description or "", _default(field)) for name, field in fields.items()]
    )


def _table(title: str, rows: Iterable[tuple[str, str, str]]) -> str:
    head = [f"## {title[0].upper()}{title[1:]}", "", "| variable | meaning | default |", "|---|---|---|"]
    return "\n".join([*head, *(f"| `{name}` | {text} | {default} |" for name, text, default in rows), ""])


def _names(name: str, field: FieldInfo) -> str:
    return f"{variable(name)}` or `{variable(name)}{SUFFIX}" if is_secret(field) else variable(name)


def _default(field: FieldInfo) -> str:
    shown = plain(field.default)
    return f"`{shown}`" if shown else ""
