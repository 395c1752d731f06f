"""What signs the links and the webhooks of a local run: made once, kept in its folder."""

import secrets
from pathlib import Path


def kept_secret(folder: Path, name: str) -> str:
    """Read a kept secret, or make it."""
    file = folder / name
    if not file.is_file():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32))
    return file.read_text()
