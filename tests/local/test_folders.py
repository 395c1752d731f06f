import sys
from pathlib import Path

import pytest

from services.local.folders import user_data_folder


def test_the_data_folder_is_the_one_the_user_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere/else")
    assert user_data_folder() == Path("/somewhere/else/huestream")


def test_the_data_folder_is_the_systems_when_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    mac, other = Path("Library/Application Support/huestream"), Path(".local/share/huestream")
    assert user_data_folder() == Path("/home/somebody") / (mac if sys.platform == "darwin" else other)
