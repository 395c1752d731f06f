"""Where the data of `huestream local` is kept when nobody says otherwise."""

import os
import sys
from pathlib import Path


def user_data_folder() -> Path:
    """The user's data folder: XDG_DATA_HOME, or what the system calls it."""
    if named := os.environ.get("XDG_DATA_HOME"):
        return Path(named) / "huestream"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "huestream"
    return Path.home() / ".local" / "share" / "huestream"
