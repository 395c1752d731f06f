"""A closed vocabulary: what is watched exists, and what exists is watched, or is kept for a reason."""

import re

import pytest

from deploy.watching.expressions import selectors
from deploy.watching.vocabulary import (
    FOR_DEBUGGING,
    OF_OTHERS,
    expressions,
    metrics_of_code,
    series_of_code,
    series_of_rules,
    used,
)

ANYTHING = {"group", "topic", "instance", "job", "slo", "version", "config_hash"}
"""Labels whose values come at run time, or from Prometheus."""


def test_nothing_is_used_that_does_not_exist() -> None:
    known = set(series_of_code()) | series_of_rules() | OF_OTHERS
    assert {name: users for name, users in used().items() if name not in known} == {}


def test_every_metric_of_the_code_is_used_or_kept_for_debugging_with_a_reason() -> None:
    seen = {series_of_code()[name] for name in used() if name in series_of_code()}
    assert set(metrics_of_code()) - seen == set(FOR_DEBUGGING)
    assert all(FOR_DEBUGGING.values())


def test_every_recording_is_used() -> None:
    assert series_of_rules() - set(used()) <= {"slo:objective:ratio"}  # for those who look


def values_in_code(metric: str, label: str) -> set[str]:
    return {sample.labels[label] for sample in metrics_of_code()[metric].samples if label in sample.labels}


@pytest.mark.parametrize(("user", "expression"), list(expressions()))
def test_labels_and_their_values_are_those_of_the_code(user: str, expression: str) -> None:
    for selector in selectors(expression):
        metric = series_of_code().get(selector.name)
        for label, operator, value in selector.matchers if metric else ():
            if label not in ANYTHING:
                known = values_in_code(metric, label)  # type: ignore[arg-type]
                pattern = value if "~" in operator else re.escape(value)
                assert any(re.fullmatch(pattern, one) for one in known), f"{user}: {label} {value}, known: {known}"
