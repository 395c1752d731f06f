"""A webhook on a real Kafka: set for a key, signed, sent beside the mail, shown in the status."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.commands import run_here
from tests.image_host import image_host
from tests.stack_fixtures import Stack, items
from tests.waiting import wait_for

pytestmark = pytest.mark.system


class Receiver(BaseHTTPRequestHandler):
    """Fails the first time, then takes what comes."""

    seen: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((dict(self.headers), body))
        self.send_response(500 if len(self.seen) == 1 else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    seen: list[tuple[dict[str, str], bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Ours", (Receiver,), {"seen": seen}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", seen
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def keys(stack: Stack, *words: str) -> str:
    ready = stack.ready()
    key_id = ready["api_key"].split("_")[1]
    settings = {"HUESTREAM_WEBHOOK_SECRET": (stack.data / "webhook-secret").read_text()}
    command = ("keys", "webhook", key_id, *words, "--bootstrap-servers", ready["bootstrap_servers"])
    done = run_here(*command, settings=settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_owner_of_a_key_is_told_of_a_finished_batch(stack: Stack) -> None:
    with receiving() as (url, seen), image_host() as host:
        keys(stack, "--url", url)
        try:
            inference_id = stack.submit(items(host.url, 2)).body["inference_id"]
            wait_for(lambda: [each for each in seen if inference_id.encode() in each[1]][1:] or None, "webhook", 60)
            report = {"email_status": "sent", "webhook_status": "sent"}
            stack.wait_for_status(inference_id, status="completed", report=report)
        finally:
            keys(stack, "--off")
    headers, body = [each for each in seen if inference_id.encode() in each[1]][-1]
    found = {name.lower(): value for name, value in headers.items()}
    signed = f"{found['webhook-id']}.{found['webhook-timestamp']}.".encode() + body
    secret = base64.b64decode(keys(stack, "--secret").removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    assert found["webhook-signature"] == f"v1,{expected}"


def test_one_batch_may_have_a_webhook_of_its_own(stack: Stack) -> None:
    with receiving() as (url, seen), image_host() as host:
        answer = stack.submit(items(host.url, 1), Webhook_URL=url)
        inference_id = answer.body["inference_id"]
        wait_for(lambda: [each for each in seen if inference_id.encode() in each[1]] or None, "webhook", 60)
    refused = stack.submit(items("http://x.example", 1), Webhook_URL="ftp://x.example/")
    assert (refused.status, refused.body["message"]) == (
        400,
        "The Webhook-URL must be an absolute http or https URL",
    )
