"""The reference of all settings, and variables that are none."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.administration.settings import CLIENT_VARIABLES, known_variables, reference, refuse_unknown
from services.runtime.environment import environment_with
from services.runtime.settings import SettingsError

ROOT = Path(__file__).parents[2]


def test_the_reference_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == reference(), "run: huestream settings > docs/settings.md"


def test_the_reference_names_every_variable_with_a_meaning() -> None:
    rows = [line.split(" | ") for line in reference().splitlines() if line.startswith("| `HUESTREAM_")]
    named = {name.strip("`| ") for row in rows for name in row[0].split("` or `")}
    assert named == known_variables()
    assert all(row[1].strip() for row in rows)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "HUESTREAM_BOOTSTRAP_SERVER",
            "HUESTREAM_BOOTSTRAP_SERVER is no setting; did you mean HUESTREAM_BOOTSTRAP_SERVERS?",
        ),
        ("HUESTREAM_X", "HUESTREAM_X is no setting; see: huestream settings"),
        ("HUESTREAM_KAFKA_USERNAME_FILE", "HUESTREAM_KAFKA_USERNAME_FILE is no setting; did you mean"),
    ],
)
def test_a_variable_with_our_prefix_that_means_nothing_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        refuse_unknown({"HOME": "/", "HUESTREAM_LOG_LEVEL": "info", name: "hidden"})
    assert str(caught.value).startswith(sentence)
    assert "hidden" not in str(caught.value)


def test_variables_of_clients_and_of_other_services_are_known() -> None:
    refuse_unknown(dict.fromkeys([*CLIENT_VARIABLES, "HUESTREAM_SMTP_PASSWORD_FILE", "HUESTREAM_IN_FLIGHT"], ""))


@pytest.mark.parametrize("service", ["ingest", "classifier", "reporter"])
def test_no_service_starts_with_an_unknown_variable(service: str) -> None:
    ours = {"HUESTREAM_BOOTSTRAP_SERVRES": "127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-m", "services", service],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment_with(ours),
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(
        "huestream: HUESTREAM_BOOTSTRAP_SERVRES is no setting; did you mean HUESTREAM_BOOTSTRAP_SERVERS?"
    )


def test_to_know_all_settings_brings_no_service_the_metrics_of_another() -> None:
    program = """
import sys
from services.administration.settings import known_variables
known_variables()
print([name for name in sys.modules if name.startswith("services.") and name.endswith(".metrics")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() in {"[]", "['services.runtime.metrics']"}
