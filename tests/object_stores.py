"""A store that speaks S3, on loopback: moto's server, a process of its own."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from services.local.ports import free_ports
from tests.waiting import wait_for

SERVER = Path(sys.prefix) / "s3" / "bin" / "moto_server"
SIGNING = {"access_key_id": "AKIATEST", "secret_access_key": "hidden", "region": "us-east-1"}
CREDENTIALS = {f"AWS_{name.upper()}": value for name, value in SIGNING.items()}


def put(store: str, path: str, content: bytes, **attributes: str) -> None:
    """Write an object; attributes are named as headers, with underscores."""
    bucket, _, key = path.partition("/")
    given = {name.replace("_", "-"): value for name, value in attributes.items()}
    writing = S3Store(bucket, endpoint=store, client_options={"allow_http": True}, **SIGNING)
    obstore.put(writing, key, content, attributes=given)


def _make_bucket(store: str, bucket: str) -> None:
    request = urllib.request.Request(f"{store}/{bucket}", method="PUT")  # noqa: S310  # on loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200


@contextmanager
def object_store(contents: Mapping[str, bytes], *, checks_credentials: bool = False) -> Iterator[str]:
    """Run a store with contents by `bucket/key` until the block ends; gives its URL.

    One that checks credentials knows nobody: what comes after the contents is refused.
    """
    if not SERVER.exists():
        pytest.skip("NO STORE THAT SPEAKS S3, NOTHING OF IT WAS TESTED: run make .venv/s3-installed")
    buckets = sorted({path.partition("/")[0] for path in contents})
    environment = dict(os.environ)
    if checks_credentials:
        environment["INITIAL_NO_AUTH_ACTION_COUNT"] = str(len(buckets) + len(contents))
    [port] = free_ports([0])
    url = f"http://127.0.0.1:{port}"
    command = [str(SERVER), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _answers(url), "store that speaks S3", 60)
            for bucket in buckets:
                _make_bucket(url, bucket)
            for path, content in contents.items():
                put(url, path, content)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5):  # noqa: S310
            return True
    except OSError:
        return False
