"""One run of the whole system on this machine: start in order, say where everything is, end in order."""

import asyncio
import fcntl
import json
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from services.local.access import Access
from services.local.api_key import publish_local_key
from services.local.brokers import prepare_brokers
from services.local.kafka.jars import listed_jars
from services.local.kafka.java import find_java
from services.local.kafka.problems import LocalKafkaError
from services.local.leash import leashed
from services.local.readiness import not_ready_within
from services.local.ready_file import ReadyFile
from services.local.stack import Layout, Options, lay_out, mailbox, services
from services.local.supervisor import Supervisor, python_command
from services.runtime.api_keys import LOCAL_EMAIL

_KAFKA_SECONDS: Final = 60.0
_SERVICES_SECONDS: Final = 60.0
_STOP_SERVICES_SECONDS: Final = 4.0
_STOP_ALL_SECONDS: Final = 9.0
"""Everything must end within 10, on a busy machine too; three nodes of Kafka need 5.4 of them."""
_LOOK_SECONDS: Final = 0.2
_FOLDERS: Final = ("jars", "logs", "mails", "reports", "state")


class LocalError(Exception):
    """The run cannot start; the message is one sentence."""


def say(line: str) -> None:
    """Tell the person who watches."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


async def run_local(options: Options, stopping: asyncio.Event) -> None:
    """Run everything until `stopping` is set; raises what keeps it from starting."""
    ready = ReadyFile(options.ready_file)
    supervisor = Supervisor(say, lambda: ready.update(pids=supervisor.pids()))
    with _own_folder(options.data):
        _check(ready, options)
        try:
            await _until(stopping, _run(options, supervisor, ready))
        finally:
            if supervisor.pids():
                say("stopping")
            await supervisor.stop("kafka", _STOP_SERVICES_SECONDS, _STOP_ALL_SECONDS)
            ready.remove()


def _check(ready: ReadyFile, options: Options) -> None:
    try:
        ready.check()
    except OSError as error:
        raise LocalError(
            f"the file {options.ready_file} cannot be written: {error.strerror}; name another one with --ready-file"
        ) from error


async def _until(stopping: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run work that never ends by itself; raise what it raises, or cancel it when the event is set."""
    task = asyncio.create_task(work)
    signal = asyncio.create_task(stopping.wait())
    await asyncio.wait({task, signal}, return_when=asyncio.FIRST_COMPLETED)
    signal.cancel()
    if not task.done():
        task.cancel()
    await asyncio.gather(task, signal, return_exceptions=True)
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


async def _run(options: Options, supervisor: Supervisor, ready: ReadyFile) -> None:
    layout = lay_out(options)
    java = await asyncio.to_thread(find_java)
    brokers = await prepare_brokers(layout, options, java, await _fetched_jars(options.data / "jars"))
    access = brokers.access
    supervisor.start(mailbox(layout), *brokers.programs)
    say("starting Kafka")
    await brokers.until_ready(_KAFKA_SECONDS)
    await brokers.create_topics(say)
    api_key = await publish_local_key(options.data, access.user("keys"))
    say("starting the services")
    supervisor.start(*services(layout, options, access))
    await _wait_until_ready(layout)
    ready.begin(
        endpoint=layout.endpoint,
        api_key=api_key,
        bootstrap_servers=access.bootstrap_servers,
        secrets_dir=str(access.locks.folder) if access.locks else None,
        mail_dir=str(layout.mail_dir),
        report_dir=str(layout.report_dir),
        metrics=layout.metrics(),
        pids=supervisor.pids(),
    )
    say(_summary(layout, access, api_key))
    await _announce_mails(layout.mail_dir)


@contextmanager
def _own_folder(data: Path) -> Iterator[None]:
    """Make the folders, and hold them against a second run; raises `LocalError`."""
    try:
        for name in _FOLDERS:
            (data / name).mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise LocalError(f"the folder {data} cannot be used: {error.strerror}; name another one with --data") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LocalError(
                f"another huestream local runs in {data}; end it, or name another folder with --data"
            ) from error
        yield


async def _fetched_jars(folder: Path) -> list[Path]:
    """Have all jars; the folder may be a link: by one name, all runs have one archive of classes."""
    shared = folder.resolve()
    await _fetch_jars(shared)
    return [shared / jar.file_name for jar in listed_jars()]


async def _fetch_jars(folder: Path) -> None:
    fetching = await asyncio.create_subprocess_exec(
        *leashed(python_command("services.local.kafka.jars", str(folder))), stdout=asyncio.subprocess.PIPE
    )
    try:
        said, _ = await fetching.communicate()
    except asyncio.CancelledError:
        fetching.kill()
        raise
    if fetching.returncode:
        raise LocalKafkaError(said.decode().strip() or "Kafka's jars could not be fetched; run again")


async def _wait_until_ready(layout: Layout) -> None:
    """Wait for the readiness of every service; raises `LocalError` past the limit."""
    if late := await not_ready_within(layout, _SERVICES_SECONDS):
        raise LocalError(f"not ready in time: {', '.join(late)}; the logs in {layout.data / 'logs'} say why")


async def _announce_mails(folder: Path) -> None:
    """Say where each new mail lies, for ever."""
    known = set(folder.glob("*.eml"))
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        for mail in sorted(set(folder.glob("*.eml")) - known):
            known.add(mail)
            say(f"mail: {mail}")


def _summary(layout: Layout, access: Access, api_key: str) -> str:
    item = {
        "image_path": "https://example.com/shirt.jpg",
        "product_type": "Shirt",
        "hex_color_label": "#FF0000",
        "category": "Fashion",
    }
    secrets = f" (users and certificate in {access.locks.folder})" if access.locks else ""
    return f"""
huestream is ready.

  endpoint   {layout.endpoint}/inference/color-classification
  API key    {api_key}
  Kafka      {access.bootstrap_servers}{secrets}
  mails      {layout.mail_page} (files in {layout.mail_dir}; all go to {LOCAL_EMAIL})
  reports    {layout.report_dir}
  logs       {layout.data / "logs"}

Try it:

  curl -sS {layout.endpoint}/inference/color-classification \\
    -H 'x-vody-api-key: {api_key}' -H 'content-type: application/json' \\
    -d '[{json.dumps(item)}]'

Ctrl-C ends everything."""
