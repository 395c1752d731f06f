"""The whole system as a user starts it: `huestream local` as a process of its own."""

import csv
import io
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from services.local.folders import user_data_folder
from services.runtime.environment import environment_with
from tests.kafka_fixtures import put_formatted
from tests.waiting import wait_for

Item = dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Stack:
    """A running system, seen from outside."""

    data: Path
    ready_file: Path
    process: subprocess.Popen[bytes]

    def ready(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ready_file.read_text())
        return found

    def pids(self, service: str) -> list[int]:
        pids: list[int] = self.ready()["pids"][service]
        return pids

    def call(self, path: str, body: object = None, **headers: str) -> Answer:
        """Call the endpoint; a body that is not bytes is sent as JSON."""
        ready = self.ready()
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        standard = {"x-vody-api-key": ready["api_key"], "content-type": "application/json"}
        request = urllib.request.Request(ready["endpoint"] + path, data=content, headers=standard | given)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=40) as reply:  # noqa: S310
                return Answer(reply.status, dict(reply.headers), json.load(reply))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), json.load(error))

    def submit(self, items: Sequence[Item], **headers: str) -> Answer:
        return self.call("/inference/color-classification", list(items), **headers)

    def mails(self, inference_id: str) -> list[EmailMessage]:
        """All mails of a batch."""
        contents = [path.read_bytes() for path in sorted(Path(self.ready()["mail_dir"]).glob("*.eml"))]
        messages = [message_from_bytes(mail, policy=default) for mail in contents if inference_id.encode() in mail]
        return [message for message in messages if inference_id in message["Message-ID"]]

    def assert_no_batch_was_mailed_twice(self) -> None:
        paths = Path(self.ready()["mail_dir"]).glob("*.eml")
        ids = [message_from_bytes(path.read_bytes(), policy=default)["Message-ID"] for path in paths]
        assert sorted(ids) == sorted(set(ids))

    def wait_for_mail(self, inference_id: str, timeout_seconds: float = 90.0) -> EmailMessage:
        return wait_for(lambda: next(iter(self.mails(inference_id)), None), "mail", timeout_seconds)

    def wait_for_status(self, inference_id: str, **wanted: object) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            status: dict[str, Any] = self.call(f"/inference/{inference_id}/status").body
            return status if all(status.get(name) == value for name, value in wanted.items()) else None

        return wait_for(look, f"status {wanted}", 60, pause_seconds=0.2)  # reads are limited

    def all_pids(self) -> list[int]:
        return [pid for pids in self.ready()["pids"].values() for pid in pids]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def kill(self) -> None:
        """End it where a clean end, which takes a processor for seconds, is not what is tested."""
        pids = self.all_pids() if self.ready_file.exists() else []
        self.process.kill()
        self.process.wait(10)
        wait_for(lambda: not alive(pids), "end of all processes after the parent was killed", 10)


def alive(pids: Iterable[int]) -> list[int]:
    return [pid for pid in pids if _state(pid) not in {None, "Z"}]


def _state(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def csv_rows(mail: EmailMessage) -> list[dict[str, str]]:
    """The lines of the CSV file that is attached to a report."""
    [attached] = [part for part in mail.iter_attachments() if part.get_content_type() == "text/csv"]
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def items(host: str, count: int) -> list[Item]:
    return [
        {
            "image_path": f"{host}/{number}.jpg",
            "product_type": "Shirt",
            "hex_color_label": "#C81E28",
            "category": "Fashion",
        }
        for number in range(count)
    ]


def shared_jars() -> Path:
    """Kafka's jars of this machine, fetched once for all tests and runs."""
    folder = user_data_folder() / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def start_stack(data: Path, *options: str) -> Stack:
    data.mkdir(parents=True, exist_ok=True)
    if not (data / "jars").exists():
        (data / "jars").symlink_to(shared_jars())
    if "--brokers" not in options and "--secure" not in options:
        put_formatted(data / "kafka-1")
    ready_file = data / "ready.json"
    command = [sys.executable, "-m", "services", "local", "--data", str(data), "--ready-file", str(ready_file)]
    environment = environment_with({})
    with (data / "local.out").open("wb") as output:
        process = subprocess.Popen(
            [*command, "--allow-network", "127.0.0.0/8", *options], stdout=output, stderr=output, env=environment
        )
    stack = Stack(data, ready_file, process)
    try:
        wait_for(lambda: ready_file.exists() or process.poll() is not None or None, "ready file", 180)
        assert process.poll() is None, (data / "local.out").read_text()
    except BaseException:
        process.kill()
        process.wait(10)
        raise
    return stack
