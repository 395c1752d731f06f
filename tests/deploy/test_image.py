"""The image is small, runs as nobody in particular, and says what it is made of."""

import json

from tests.deploy.podman import BASE, IMAGE, Podman

MEGABYTE = 1_000_000
HARDENED = (
    "--no-healthcheck",
    "--pull=never",
    "--network=none",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=ALL",
)


def test_the_image_adds_at_most_150_megabytes_to_its_base(podman: Podman) -> None:
    assert podman.size(IMAGE) - podman.size(BASE) <= 150 * MEGABYTE


def test_the_image_says_who_runs_it_what_it_is_and_how_it_is_asked_for_its_health(podman: Podman) -> None:
    [found] = json.loads(podman.run("image", "inspect", IMAGE).stdout)
    config = found["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["huestream"]
    assert config["Labels"]["org.opencontainers.image.title"] == "huestream"
    assert config["StopSignal"] == "SIGTERM"
    assert found["HealthCheck" if "HealthCheck" in found else "Healthcheck"]["Test"] == ["CMD", "huestream", "health"]


def test_nothing_but_what_is_needed_is_in_it(podman: Podman) -> None:
    look = "import pathlib, importlib.util as u; print(u.find_spec('pip'), *pathlib.Path('/').glob('build*'))"
    said = podman.once(*HARDENED, "--entrypoint=/opt/venv/bin/python", IMAGE, "-c", look).stdout.split()
    assert said == ["None"]


def test_every_command_of_the_command_line_is_there(podman: Podman) -> None:
    look = (
        "import importlib; from services.__main__ import COMMANDS, SERVICES, TOOLS; "
        "modules = [module for module, _ in (*COMMANDS.values(), *TOOLS.values())]; "
        "modules += [f'services.{service}.main' for service in SERVICES]; "
        "print(len([importlib.import_module(module) for module in modules]) == len(modules))"
    )
    done = podman.once(*HARDENED, "--entrypoint=/opt/venv/bin/python", IMAGE, "-c", look)
    assert done.stdout.strip() == "True", done.stderr


def test_a_read_only_root_is_enough(podman: Podman) -> None:
    assert "usage: huestream" in podman.once(*HARDENED, IMAGE).stdout
    write = "import os; print(os.getuid()); open('/opt/venv/x', 'w')"
    done = podman.once(*HARDENED, "--entrypoint=/opt/venv/bin/python", IMAGE, "-c", write)
    assert done.stdout.strip() == "10001"
    assert "Read-only file system" in done.stderr


def test_a_mistaken_setting_is_one_sentence_and_exit_status_1(podman: Podman) -> None:
    done = podman.once(*HARDENED, "--env=HUESTREAM_BOOTSTRAP=kafka:9092", IMAGE, "ingest")
    assert done.returncode == 1
    assert done.stderr.strip() == "huestream: HUESTREAM_BOOTSTRAP is no setting; see: huestream settings"


def test_the_bill_of_materials_names_every_dependency(podman: Podman) -> None:
    bill = json.loads(podman.once(*HARDENED, IMAGE, "sbom").stdout)
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "huestream"
    names = {component["name"].lower() for component in bill["components"]}
    assert {"aiokafka", "faust-streaming", "numpy", "pillow", "python"} <= names
    assert not {"pip", "uv", "setuptools", "pytest"} & names
