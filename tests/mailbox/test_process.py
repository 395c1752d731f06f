"""The mailbox as `huestream local` runs it: a process, a real SMTP dialog, real requests."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import aiosmtplib
import pytest

from services.local.mailbox.catching import MAX_MAIL_BYTES
from services.local.mailbox.mails import mails_in

CONTENT = b"Message-ID: <one@host>\r\nSubject: one\r\n\r\n.dot\r\n\xe2\x82\xac\r\n"
DEADLINE_SECONDS = 20


@dataclass
class Mailbox:
    process: asyncio.subprocess.Process
    smtp_port: int
    url: str
    folder: Path

    async def said(self) -> dict[str, object]:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), DEADLINE_SECONDS)
        return dict(json.loads(line))

    async def send(self, content: bytes, recipients: Sequence[str] = ("you@localhost",)) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.smtp_port, start_tls=False) as client:
            await client.sendmail("a@b.example", list(recipients), content)


async def start(folder: Path, *words: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "services.local.mailbox", "--folder", str(folder), *words]
    return await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def mailbox_in(folder: Path) -> AsyncIterator[Mailbox]:
    process = await start(folder)
    running = Mailbox(process, 0, "", folder)
    try:
        listening = await running.said()
        running.smtp_port = int(str(listening["smtp"]).rpartition(":")[2])
        running.url = str(listening["url"])
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with mailbox_in(tmp_path) as running:
        yield running


async def test_a_mail_that_was_acknowledged_lies_in_the_folder_as_it_was_sent(mailbox: Mailbox) -> None:
    await mailbox.send(CONTENT, ["you@localhost", "me@localhost"])
    [mail] = mails_in(mailbox.folder)
    assert mail.path.read_bytes() == CONTENT
    said = await mailbox.said()
    assert (said["event"], said["file"], said["bytes"], said["recipients"]) == (
        "mail_kept",
        mail.path.name,
        len(CONTENT),
        2,
    )


async def test_the_page_shows_it(mailbox: Mailbox) -> None:
    await mailbox.send(CONTENT)
    async with aiohttp.ClientSession() as session:
        async with session.get(mailbox.url) as reply:
            assert reply.status == 200
            assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert ">one<" in await reply.text()
        async with session.get(f"{mailbox.url}mails.json") as reply:
            assert len(await reply.json()) == 1


async def test_a_foreign_name_for_the_page_is_refused(mailbox: Mailbox) -> None:
    async with aiohttp.ClientSession() as session:
        for host, status in (("rebound.example", 421), ("localhost:8025", 200), ("[::1]:8025", 200)):
            async with session.get(mailbox.url, headers={"Host": host}) as reply:
                assert reply.status == status


async def test_a_mail_over_the_limit_is_refused_and_the_next_one_is_kept(mailbox: Mailbox) -> None:
    line = b"x" * 998 + b"\r\n"
    with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
        await mailbox.send(b"Subject: big\r\n\r\n" + line * (MAX_MAIL_BYTES // len(line) + 1))
    assert refused.value.code == 552
    await mailbox.send(CONTENT)
    assert len(mails_in(mailbox.folder)) == 1


async def test_it_ends_at_once_although_clients_stay_connected(mailbox: Mailbox) -> None:
    port = int(mailbox.url.rstrip("/").rpartition(":")[2])
    writers = [(await asyncio.open_connection("127.0.0.1", number))[1] for number in (port, mailbox.smtp_port)]
    for writer in writers:
        writer.write(b"E")
    mailbox.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(mailbox.process.wait(), 2) == 0
    for writer in writers:
        writer.close()


async def test_a_port_in_use_is_one_sentence(mailbox: Mailbox, tmp_path: Path) -> None:
    second = await start(tmp_path, "--smtp-port", str(mailbox.smtp_port))
    _, said = await asyncio.wait_for(second.communicate(), DEADLINE_SECONDS)
    assert second.returncode == 1
    assert said.decode().splitlines() == [f"mailbox: port {mailbox.smtp_port} cannot be had: Address already in use"]
