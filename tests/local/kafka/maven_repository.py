"""A Maven repository on loopback that serves well, lies, breaks off or hangs, as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LIMIT_SECONDS = 30


@dataclass
class MavenRepository:
    """Every jar that is asked for has the same content."""

    content: bytes
    breaks_off: bool = False
    hangs: bool = False
    url: str = ""
    asked: list[str] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def maven_repository(content: bytes) -> Iterator[MavenRepository]:
    repository = MavenRepository(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.asked.append(self.path)
            if not self.path.endswith(".jar"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(repository.content)))
            self.end_headers()
            half = len(repository.content) // 2
            self.wfile.write(repository.content[:half])
            if repository.hangs:
                self.wfile.flush()
                repository.hanging.set()
                repository.go_on.wait(LIMIT_SECONDS)
            elif not repository.breaks_off:
                self.wfile.write(repository.content[half:])

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        repository.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield repository
        finally:
            repository.go_on.set()
            server.shutdown()
