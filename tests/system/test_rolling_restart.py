"""A rolling restart of every service under load: nothing is lost, nothing mailed twice, no request answered with 5xx.

Two replicas of each service. As in Kubernetes, a replica of the endpoint is taken out of the rotation a moment before
it is told to end (there by `preStop`), and comes back when it says that it is ready.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from services.local.ports import free_ports
from services.runtime.environment import environment_with
from tests.commands import run_here
from tests.image_host import TEXT, image_host
from tests.stack_fixtures import Item, Stack, csv_rows, items, start_stack
from tests.waiting import wait_for

pytestmark = pytest.mark.system

BATCH = 4
PRE_STOP_SECONDS = 1.0
OURS = 70
"""The status of a reporter that ends so that what it is not sure of is read again."""
PAUSE_SECONDS = 1.0  # a key may submit twice a second


def get(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310  # loopback
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def batch(images: str) -> list[Item]:
    """One picture, and texts in its place: it is the services that are restarted, whatever an image costs."""
    made = items(images, BATCH)
    return [made[0], *(item | {"image_path": f"{images}{TEXT}?{number}"} for number, item in enumerate(made[1:]))]


@dataclass
class Instance:
    """A process of a service that is started anew after it has ended."""

    service: str
    settings: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def ready_url(self) -> str:
        return f"http://127.0.0.1:{self.settings['HUESTREAM_METRICS_PORT']}/readyz"

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "services", self.service]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment_with(self.settings))
        wait_for(lambda: get(self.ready_url) == 200, f"ready {self.service}", 90, pause_seconds=0.2)

    def end(self) -> int:
        """Tell it to end; one that ended by itself, so as to read again, is started once more first."""
        assert self.process is not None
        if self.process.poll() == OURS:
            self.start()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


@dataclass
class Load:
    """Clients that submit small batches, one after another, to whatever replica is in the rotation."""

    rotation: list[str]
    stopping: threading.Event = field(default_factory=threading.Event)
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def run(self, key: str, images: str) -> None:
        number = 0
        while not self.stopping.wait(PAUSE_SECONDS):
            number += 1
            endpoint = self.rotation[number % len(self.rotation)]
            try:
                self.accepted.append(self._submit(endpoint, key, images))
            except (OSError, ValueError, KeyError) as error:
                self.refused.append(f"{endpoint}: {getattr(error, 'code', '')} {error}")

    def _submit(self, endpoint: str, key: str, images: str) -> str:
        headers = {"x-vody-api-key": key, "content-type": "application/json"}
        body = json.dumps(batch(images)).encode()
        url = f"{endpoint}/inference/color-classification"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as reply:  # noqa: S310
            return str(json.load(reply)["inference_id"])


@contextmanager
def under_load(load: Load, keys: list[str], images: str) -> Iterator[None]:
    threads = [threading.Thread(target=load.run, args=(key, images)) for key in keys]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        load.stopping.set()
        for thread in threads:
            thread.join(40)


def instances(stack: Stack, smtp_port: int) -> list[Instance]:
    """A second replica of each service beside those of the stack."""
    ready = stack.ready()
    http, *metrics = free_ports([0] * 4)
    (stack.data / "state-2").mkdir()
    shared = {
        "HUESTREAM_BOOTSTRAP_SERVERS": ready["bootstrap_servers"],
        "HUESTREAM_ENVIRONMENT": "development",
        "HUESTREAM_TOPIC_REPLICAS": "1",
        "HUESTREAM_REPORT_STORE": ready["report_dir"],
        "HUESTREAM_ALLOW_NETWORKS": "127.0.0.0/8",
        "HUESTREAM_HOST": "127.0.0.1",
        "HUESTREAM_PORT": str(http),
        "HUESTREAM_SMTP_PORT": str(smtp_port),
        "HUESTREAM_SMTP_TLS": "none",
        "HUESTREAM_STATE_DIR": str(stack.data / "state-2"),
    }
    return [
        Instance(service, shared | {"HUESTREAM_METRICS_PORT": str(port)}, stack.data / "logs" / f"{service}-second.log")
        for service, port in zip(("ingest", "classifier", "reporter"), metrics, strict=True)
    ]


def restart_in_stack(stack: Stack, service: str) -> None:
    """End the stack's own process; its parent starts it again."""
    [pid] = stack.pids(service)
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: stack.pids(service) not in ([], [pid]) or None, f"new {service}", 60)
    ready = stack.ready()["metrics"][service].replace("/metrics", "/readyz")
    wait_for(lambda: get(ready) == 200, f"ready {service}", 90, pause_seconds=0.2)


@contextmanager
def out_of(rotation: list[str], endpoint: str) -> Iterator[None]:
    rotation.remove(endpoint)
    time.sleep(PRE_STOP_SECONDS)
    yield
    rotation.append(endpoint)


def issue_key(bootstrap: str, number: int) -> str:
    words = ("keys", "issue", "--owner", f"shop {number}", "--email", f"shop-{number}@example.com")
    issued = run_here(*words, "--bootstrap-servers", bootstrap)
    assert issued.returncode == 0, issued.stderr
    return issued.stdout.strip()


def assert_each_was_mailed_once_whole(stack: Stack, inference_ids: list[str]) -> None:
    folder = Path(stack.ready()["mail_dir"])
    wait_for(lambda: len(list(folder.glob("*.eml"))) >= len(inference_ids) or None, "mail of each batch", 90)
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in folder.glob("*.eml")]
    mailed = Counter(re.sub(r"^<report\.|@.*$", "", mail["Message-ID"].strip()) for mail in mails)
    assert mailed == Counter(inference_ids)
    assert all(len(csv_rows(mail)) == BATCH for mail in mails)


def test_a_rolling_restart_of_every_service_loses_nothing_and_refuses_nobody(tmp_path: Path) -> None:
    [smtp_port] = free_ports([0])
    with ExitStack() as cleanup:
        stack = start_stack(tmp_path, "--smtp-port", str(smtp_port))
        cleanup.callback(stack.kill)
        second = instances(stack, smtp_port)
        for instance in second:
            cleanup.callback(instance.kill)
            instance.start()
        ingest, classifier, reporter = second
        ours, other = stack.ready()["endpoint"], f"http://127.0.0.1:{ingest.settings['HUESTREAM_PORT']}"
        keys = [issue_key(stack.ready()["bootstrap_servers"], number) for number in range(2)]
        load = Load([ours, other])
        host = cleanup.enter_context(image_host(delay_seconds=0.05))
        with under_load(load, keys, host.url):
            wait_for(lambda: len(load.accepted) >= 10 or None, "load", 60)
            with out_of(load.rotation, ours):
                restart_in_stack(stack, "ingest")
            with out_of(load.rotation, other):
                assert ingest.end() == 0
                ingest.start()
            for service, instance in (("classifier", classifier), ("reporter", reporter)):
                restart_in_stack(stack, service)
                assert instance.end() == 0
                instance.start()
        assert load.refused == []
        assert_each_was_mailed_once_whole(stack, load.accepted)
        said = (stack.data / "local.out").read_text()
        for service in ("ingest", "classifier", "reporter"):
            assert re.findall(rf"^{service} ended \((.*?)\)", said, re.MULTILINE)[0] == "exit status 0"
