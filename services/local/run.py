"""One run of the whole system on this machine: start in order, say where everything is, end in order."""

import asyncio
import fcntl
import json
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import aiohttp

from schemas.topics import TOPICS
from services.local.access import Access
from services.local.api_key import publish_local_key
from services.local.kafka.class_archive import archive_options
from services.local.kafka.jars import listed_jars
from services.local.kafka.java import find_java
from services.local.kafka.locks import Locks, prepare_locks
from services.local.kafka.node import (
    Node,
    bootstrap_servers,
    broker_command,
    java_command,
    prepare_nodes,
    wait_until_ready,
)
from services.local.kafka.problems import LocalKafkaError
from services.local.leash import leashed
from services.local.ready_file import ReadyFile
from services.local.stack import Layout, Options, lay_out, mailbox, services
from services.local.supervisor import Program, Supervisor, python_command
from services.runtime.api_keys import LOCAL_EMAIL
from services.runtime.granting import grant
from services.runtime.topic_admin import topic_admin

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
    nodes = _nodes(layout, options)
    java = await asyncio.to_thread(find_java)
    locks = await prepare_locks(_kafka_folder(options) / "secrets", java) if options.secure else None
    access = Access(bootstrap_servers(nodes), locks)
    supervisor.start(mailbox(layout), *await _brokers(options, nodes, java, locks))
    say("starting Kafka")
    await wait_until_ready(nodes, _KAFKA_SECONDS, access.administrator())
    await _prepare_topics(access, replicas=len(nodes))
    api_key = await publish_local_key(options.data, access.user("keys"))
    say("starting the services")
    supervisor.start(*services(layout, options, access))
    await _wait_until_ready(layout)
    ready.begin(
        endpoint=layout.endpoint,
        api_key=api_key,
        bootstrap_servers=access.bootstrap_servers,
        secrets_dir=str(locks.folder) if locks else None,
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


def _nodes(layout: Layout, options: Options) -> list[Node]:
    folder = _kafka_folder(options)
    return [
        Node(number, port, controller_port, folder / f"node-{number}")
        for number, (port, controller_port) in enumerate(layout.kafka_ports, start=1)
    ]


def _kafka_folder(options: Options) -> Path:
    return options.data / f"kafka-{'secure-' if options.secure else ''}{options.brokers}"


async def _brokers(options: Options, nodes: Sequence[Node], java: Path, locks: Locks | None) -> list[Program]:
    """Have jars and storage ready; returns the brokers' programs."""
    shared = (options.data / "jars").resolve()  # it may be a link: by one name, all runs have one archive of classes
    await _fetch_jars(shared)
    jars = [shared / jar.file_name for jar in listed_jars()]
    folder = _kafka_folder(options)
    command = java_command(folder, java, jars, await archive_options(java, jars))
    await prepare_nodes(folder, nodes, command, locks=locks)
    return [Program("kafka", f"kafka-{node.number}", broker_command(node, command), node.log_path) for node in nodes]


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


async def _prepare_topics(access: Access, replicas: int) -> None:
    if access.locks:
        await grant(access.administrator())
    async with topic_admin(access.user("topics")) as admin:
        await admin.create(TOPICS, replicas)
        for difference in await admin.differences(TOPICS, replicas):
            say(f"differs from its declaration: {difference}")


async def _wait_until_ready(layout: Layout) -> None:
    """Wait for the readiness of every service; raises `LocalError` past the limit."""
    pending = {name: url.replace("/metrics", "/readyz") for name, url in layout.metrics().items()}
    try:
        async with asyncio.timeout(_SERVICES_SECONDS), aiohttp.ClientSession() as session:
            while pending:
                pending = {name: url for name, url in pending.items() if not await _is_ready(session, url)}
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        late = ", ".join(sorted(pending))
        raise LocalError(f"not ready in time: {late}; the logs in {layout.data / 'logs'} say why") from error


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


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
