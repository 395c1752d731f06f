"""Commands that a test runs in its own process: one of their own takes a processor for most of a second to start."""

import io
import os
import subprocess
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout

import pytest

from services.__main__ import main
from services.runtime.environment import PREFIX
from services.runtime.settings import variable


def variables(settings: Mapping[str, object]) -> dict[str, str]:
    """Write settings as the variables that a service reads."""
    return {variable(name): str(value) for name, value in settings.items()}


def run_here(*words: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command with these settings and no others; only where no event loop runs."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            environment.delenv(name)
        for name, value in (settings or {}).items():
            environment.setenv(name, value)
        with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()) as told:
            status = main(words)
    return subprocess.CompletedProcess(words, status, said.getvalue(), told.getvalue())
