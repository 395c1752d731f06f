"""The vocabulary of the metrics: each name is used, each label comes from a closed set."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from schemas.topics import TOPICS
from services.classifier import metrics as of_classifier
from services.ingest import metrics as of_ingest
from services.reporter import metrics as of_reporter
from services.runtime import metrics as of_all

SERVICES = Path(__file__).parents[2] / "services"
MODULES = {
    "huestream": of_all,
    "huestream_ingest": of_ingest,
    "huestream_classifier": of_classifier,
    "huestream_reporter": of_reporter,
}
LABELS = {
    *("stage", "probe", "topic", "group"),  # what all share
    *("route", "status", "reason", "budget"),  # of requests
    *("outcome", "verdict", "family", "state"),  # of images, answers, mails and webhooks
}
"""Each of a set that is closed in the code; of strangers' texts there is none."""


def declared() -> Iterator[tuple[str, str, MetricWrapperBase]]:
    for prefix, module in MODULES.items():
        for name, found in vars(module).items():
            if isinstance(found, MetricWrapperBase) and f"{name}: Final = {type(found).__name__}(" in source(module):
                yield prefix, name, found


def source(module: object) -> str:
    return Path(str(getattr(module, "__file__", ""))).read_text()


def metrics() -> dict[str, MetricWrapperBase]:
    return {found._name: found for _, _, found in declared()}  # noqa: SLF001  # there is no other way to ask


def test_the_vocabulary_is_found() -> None:
    assert len(metrics()) > 60


@pytest.mark.parametrize("name", metrics())
def test_a_metric_is_named_after_its_service_in_base_units(name: str) -> None:
    assert name.startswith("huestream_")
    assert not name.endswith(("_ms", "_milliseconds", "_minutes", "_percent", "_kb", "_mb"))
    assert metrics()[name]._documentation  # noqa: SLF001


def test_labels_come_from_closed_sets() -> None:
    assert {label for found in metrics().values() for label in found._labelnames} == LABELS  # noqa: SLF001


SHOW_LABELS = """
import json
from prometheus_client import REGISTRY
from services.classifier import metrics
from services.ingest import metrics
from services.reporter import metrics
print(json.dumps([sample.labels for family in REGISTRY.collect() for sample in family.samples]))
"""


def test_what_exists_before_the_first_event_is_of_the_closed_sets() -> None:
    """In a process of its own: other tests have topics of their own."""
    found = subprocess.run([sys.executable, "-c", SHOW_LABELS], capture_output=True, text=True, check=True)
    topics = {labels["topic"] for labels in json.loads(found.stdout) if "topic" in labels}
    assert topics
    assert topics <= {topic.name for topic in TOPICS}


def uses(tree: ast.AST) -> Iterator[str]:
    """The names that are loaded anywhere but in statements that only make a series exist."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and ast.unparse(node).count(".labels(") == 1 and ast.unparse(node).endswith(")"):
            call = node.value
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "labels":
                continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        if isinstance(node, ast.alias):
            yield node.asname or ""
        yield from uses(node)


def test_whatever_is_declared_is_used() -> None:
    used = {name for path in SERVICES.rglob("*.py") for name in uses(ast.parse(path.read_text()))}
    aliased = {"DEAD_LETTERS"} & {"DEAD_LETTERS" if "DEAD_LETTERS_COUNTED" in used else ""}
    names = {name for _, name, _ in declared()} | {
        target.id
        for module in MODULES.values()
        for statement in ast.parse(source(module)).body
        if isinstance(statement, ast.AnnAssign) and isinstance(target := statement.target, ast.Name)
    }
    assert names - used - aliased == set()
