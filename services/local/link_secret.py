"""What signs the links to results pages of a local run: made once, kept in its folder."""

import secrets
from pathlib import Path


def link_secret(folder: Path) -> str:
    """Read the kept secret, or make it."""
    file = folder / "link-secret"
    if not file.is_file():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32))
    return file.read_text()
