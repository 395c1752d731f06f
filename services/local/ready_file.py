"""The file that tells scripts where everything is, and keeps telling while processes come and go."""

import json
import os
from pathlib import Path


class ReadyFile:
    """One JSON object, replaced atomically; absent until the system is ready and after it has ended."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._content: dict[str, object] = {}

    def check(self) -> None:
        """Take away what an earlier run left, and see that it can be written; raises `OSError`."""
        self.remove()
        if self._path:
            fresh = self._fresh(self._path)
            fresh.touch(mode=0o600)
            fresh.unlink()

    def begin(self, **content: object) -> None:
        """Write the file: from now on a batch can be accepted."""
        self._content = content
        self._write()

    def update(self, **content: object) -> None:
        """Change members of a file that was begun."""
        if self._content:
            self._content |= content
            self._write()

    def remove(self) -> None:
        """Take it away."""
        if self._path:
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        if self._path:
            fresh = self._fresh(self._path)
            fresh.touch(mode=0o600)  # it holds an API key
            fresh.write_text(json.dumps(self._content, indent=2) + "\n")
            fresh.replace(self._path)

    @staticmethod
    def _fresh(path: Path) -> Path:
        return path.with_name(f"{path.name}.{os.getpid()}")
