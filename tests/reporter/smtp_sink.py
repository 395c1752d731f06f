"""A real SMTP server that keeps what it accepts, and answers each step as it is told."""

import asyncio
import ssl
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

Say = Callable[[str, int], str | None]
"""Answers a step, known by its name and by how often it came; no answer means that the link dies."""


def answering(answers: dict[str, str | None]) -> Say:
    return lambda step, _: answers.get(step, "250 OK")


@dataclass
class Sink:
    """What came, and how it is answered."""

    say: Say = field(default_factory=lambda: answering({}))
    keeps_what_it_drops: bool = False
    offers_dsn: bool = False
    mails: list[tuple[float, bytes]] = field(default_factory=list)
    envelopes: list[tuple[list[str], list[str]]] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    logins: list[str] = field(default_factory=list)

    def ids(self) -> Counter[str]:
        """How often each batch was mailed."""
        read = BytesHeaderParser(policy=default).parsebytes
        found = (read(content)["Message-ID"] for _, content in list(self.mails))
        return Counter(str(name).strip().removeprefix("<report.").partition("@")[0] for name in found)

    def contents(self, inference_id: str) -> list[bytes]:
        return [content for _, content in list(self.mails) if inference_id.encode() in content]

    def _answer(self, server: Any, step: str) -> str:
        self.steps[step] += 1
        answer = self.say(step, self.steps[step])
        if answer is None:
            server.transport.abort()
            return "421 gone"
        return answer

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, _: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self._answer(server, "ehlo")
        session.host_name = hostname
        return [responses[0], "250-DSN", *responses[1:]] if self.offers_dsn else responses

    async def handle_MAIL(  # noqa: N802
        self, server: Any, _: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._answer(server, "mail")

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return self._answer(server, "rcpt")

    async def handle_DATA(self, server: Any, _: Any, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answer(server, "data")
        if answer.startswith("250") or self.keeps_what_it_drops:
            assert isinstance(envelope.content, bytes)
            self.mails.append((time.time(), envelope.content))
            self.envelopes.append((list(envelope.mail_options), list(envelope.rcpt_options)))
        return answer

    def authenticate(self, _: Any, __: Any, ___: Any, ____: str, data: LoginPassword) -> AuthResult:
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == b"right", handled=False)  # the server itself answers


class _Server(SMTP):
    """aiosmtpd refuses the parameters of DSN, which RFC 3461 has."""

    def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
        found = super()._getparams(params)
        return found and {name: value for name, value in found.items() if name not in {"RET", "ENVID", "NOTIFY"}}


@asynccontextmanager
async def serving(
    sink: Sink, port: int = 0, tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: bool = False
) -> AsyncIterator[int]:
    """Serve on loopback; gives the port."""
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return _Server(
            sink,
            loop=loop,
            tls_context=None if implicit else tls,
            require_starttls=tls is not None and not implicit,
            authenticator=sink.authenticate if login else None,
            auth_required=login and not implicit,
            auth_require_tls=not implicit,
            enable_SMTPUTF8=False,
        )

    server = await loop.create_server(session, "127.0.0.1", port, ssl=tls if implicit else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextmanager
def sink_in_a_thread(sink: Sink, port: int = 0) -> Iterator[int]:
    """Serve beside code that has no event loop; gives the port."""
    started, port_found = threading.Event(), [0]
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving(sink, port) as port_found[0]:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield port_found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
